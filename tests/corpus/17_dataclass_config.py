# A dataclass holds the settings.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

from dataclasses import dataclass
@dataclass
class Config:
    lr: float = 0.1
    hidden: int = 8
    epochs: int = 5
    activation: str = "relu"
# %% track
cfg = Config(hidden=16)
model = nn.Sequential(nn.Linear(10, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 2))
opt = torch.optim.SGD(model.parameters(), lr=cfg.lr)
for epoch in range(cfg.epochs):
    opt.zero_grad()
    train_loss = F.cross_entropy(model(X), y)
    train_loss.backward()
    opt.step()
    train_acc = (model(X).argmax(1) == y).float().mean()
# %% expect
params = {"cfg.lr": 0.1, "cfg.hidden": 16, "cfg.epochs": 5, "cfg.activation": "relu"}
metrics = {"train_loss": 5, "train_acc": 5}
axes = {"train_loss": ["epoch"]}
