# zip over two loaders, a reconstruction error.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

from torch.utils.data import DataLoader
a_loader = DataLoader(X, batch_size=64)
b_loader = DataLoader(X.flip(0), batch_size=64)
# %% track
beta = 0.5
ae = nn.Sequential(nn.Linear(10, 3), nn.Linear(3, 10))
optimizer = torch.optim.RMSprop(ae.parameters(), lr=1e-3)
for epoch in range(2):
    for a, b in zip(a_loader, b_loader):
        recon_loss = F.mse_loss(ae(a), a)
        mix_loss = F.mse_loss(ae(b), b)
        loss = recon_loss + beta * mix_loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
# %% expect
params = {"beta": 0.5, "epoch": 2, "optimizer": "RMSprop", "a_loader.batch_size": 64}
metrics = {"recon_loss": 8, "mix_loss": 8, "loss": 8}
axes = {"loss": ["epoch"]}
