# The loss goes straight into a list.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

# %% track
losses = []
model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(12):
    opt.zero_grad()
    out = model(X)
    l = criterion(out, y)
    l.backward()
    opt.step()
    losses.append(l.item())
min(losses)
# %% expect
params = {"epoch": 12, "opt": "SGD", "opt.lr": 0.1, "opt.momentum": 0.9}
metrics = {"loss": "losses"}
axes = {"loss": ["epoch"]}
