# One function for both splits; the validation losses go through zip.
# %% setup

import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(96, 10)
y = (X[:, 0] > 0).long()
train_dl = DataLoader(TensorDataset(X[:64], y[:64]), batch_size=16, shuffle=True)
valid_dl = DataLoader(TensorDataset(X[64:], y[64:]), batch_size=16)

def loss_batch(model, xb, yb, opt=None):
    loss = F.cross_entropy(model(xb), yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), len(xb)

def fit(epochs, model, opt, train_dl, valid_dl):
    kept = []
    for epoch in range(epochs):
        for xb, yb in train_dl:
            loss_batch(model, xb, yb, opt)
        with torch.no_grad():
            losses, nums = zip(*[loss_batch(model, xb, yb) for xb, yb in valid_dl])
        val_loss = np.sum(np.multiply(losses, nums)) / np.sum(nums)
        kept.append(val_loss)
        print(epoch, round(val_loss, 4))
    return kept
# %% track
model = nn.Linear(10, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.5)
kept = fit(3, model, opt, train_dl, valid_dl)
# %% expect
params = {"epochs": 3, "opt": "SGD", "opt.lr": 0.5, "train_dl.batch_size": 16}
metrics = {"val_loss": "kept", "loss": 12}
axes = {"val_loss": ["epoch"], "loss": ["epoch"]}
lenient = ["loss"]
