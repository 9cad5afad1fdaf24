# tqdm over epochs, a running loss divided at the end of the epoch.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

from torch.utils.data import DataLoader, TensorDataset
from tqdm.auto import tqdm
# %% track
loader = DataLoader(TensorDataset(X, y), batch_size=32)
net = nn.Linear(10, 2)
optim = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.01)
epoch_losses = []
for epoch in tqdm(range(4), disable=True):
    running_loss = 0.0
    for inputs, targets in loader:
        optim.zero_grad()
        loss = F.cross_entropy(net(inputs), targets)
        loss.backward()
        optim.step()
        running_loss += loss.item()
    epoch_loss = running_loss / len(loader)
    epoch_losses.append(epoch_loss)
# %% expect
params = {"epoch": 4, "optim": "AdamW", "optim.lr": 3e-3, "optim.weight_decay": 0.01, "loader.batch_size": 32}
metrics = {"loss": 32, "epoch_loss": "epoch_losses"}
axes = {"loss": ["epoch"]}
