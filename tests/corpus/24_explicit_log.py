# Somebody who already logs: the calls win, nothing is doubled.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

import nbtrack
# %% track
lr = 0.1
model = nn.Linear(10, 2)
opt = torch.optim.SGD(model.parameters(), lr=lr)
for epoch in range(5):
    opt.zero_grad()
    loss = F.cross_entropy(model(X), y)
    loss.backward()
    opt.step()
    acc = (model(X).argmax(1) == y).float().mean().item()
    nbtrack.log({"loss": loss.item(), "acc": acc}, step=epoch * 10)
# %% expect
params = {"lr": 0.1, "opt": "SGD"}
metrics = {"loss": 5, "acc": 5}
axes = {}
steps = {"loss": [0, 10, 20, 30, 40]}
