# Best model so far, patience, an early break.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

import copy
# %% track
patience = 3
max_epochs = 50
best_val = float("inf")
bad = 0
model = nn.Linear(10, 2)
opt = torch.optim.SGD(model.parameters(), lr=5.0)
val_losses = []
for epoch in range(max_epochs):
    opt.zero_grad()
    F.cross_entropy(model(X[:200]), y[:200]).backward()
    opt.step()
    with torch.no_grad():
        val_loss = F.cross_entropy(model(X[200:]), y[200:]).item()
    val_losses.append(val_loss)
    if val_loss < best_val:
        best_val, bad = val_loss, 0
        best_state = copy.deepcopy(model.state_dict())
    else:
        bad += 1
        if bad >= patience:
            break
# %% expect
params = {"patience": 3, "max_epochs": 50, "opt.lr": 5.0}
metrics = {"val_loss": "val_losses"}
axes = {"val_loss": ["epoch"]}
