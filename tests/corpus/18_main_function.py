# Everything in one function, called with keyword arguments.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

# %% track
def run_training(lr=0.01, epochs=3, hidden=4):
    model = nn.Sequential(nn.Linear(10, hidden), nn.Tanh(), nn.Linear(hidden, 2))
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for epoch in range(epochs):
        opt.zero_grad()
        loss = F.cross_entropy(model(X), y)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return model, losses

model, losses = run_training(lr=0.05, epochs=6)
# %% expect
params = {"lr": 0.05, "epochs": 6, "hidden": 4}
metrics = {"loss": "losses"}
axes = {"loss": ["epoch"]}
