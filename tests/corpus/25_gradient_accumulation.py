# Accumulated gradients, a loss scaled before backward, top-5 style names.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(X, y), batch_size=16)
# %% track
ACCUM_STEPS = 4
LR = 1e-3
WEIGHT_DECAY = 1e-2
model = nn.Linear(10, 2)
opt = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
train_losses = []
for epoch in range(2):
    epoch_loss = 0
    for batch_idx, (xb, yb) in enumerate(loader):
        loss = F.cross_entropy(model(xb), yb) / ACCUM_STEPS
        loss.backward()
        epoch_loss += loss.item() * ACCUM_STEPS
        if (batch_idx + 1) % ACCUM_STEPS == 0:
            opt.step()
            opt.zero_grad()
    epoch_loss /= len(loader)
    train_losses.append(epoch_loss)
# %% expect
params = {"ACCUM_STEPS": 4, "LR": 1e-3, "WEIGHT_DECAY": 1e-2, "epoch": 2}
metrics = {"loss": 32, "train_loss": "train_losses"}
axes = {"loss": ["epoch", "batch_idx"]}
