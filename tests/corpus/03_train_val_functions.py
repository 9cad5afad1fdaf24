# Functions from an earlier cell, results by name in the tracked one.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

batch_size = 64
from torch.utils.data import DataLoader, TensorDataset
train_loader = DataLoader(TensorDataset(X[:192], y[:192]), batch_size=batch_size, shuffle=True)
val_loader = DataLoader(TensorDataset(X[192:], y[192:]), batch_size=64)
# %% setup
def train_one_epoch(model, loader, optimizer):
    model.train()
    total, n = 0.0, 0
    for xb, yb in loader:
        optimizer.zero_grad()
        batch_loss = F.cross_entropy(model(xb), yb)
        batch_loss.backward()
        optimizer.step()
        total += batch_loss.item() * len(xb)
        n += len(xb)
    return total / n

@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    correct = n = 0
    total = 0.0
    for xb, yb in loader:
        out = model(xb)
        total += F.cross_entropy(out, yb).item() * len(xb)
        correct += (out.argmax(1) == yb).sum().item()
        n += len(xb)
    return total / n, correct / n
# %% track
EPOCHS = 5
learning_rate = 0.05
model = nn.Linear(10, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
history = []
for epoch in range(1, EPOCHS + 1):
    train_loss = train_one_epoch(model, train_loader, optimizer)
    val_loss, val_acc = evaluate(model, val_loader)
    history.append((train_loss, val_loss, val_acc))
    print(f"[{epoch}] train {train_loss:.3f} val {val_loss:.3f} acc {val_acc:.2%}")
# %% expect
params = {"EPOCHS": 5, "learning_rate": 0.05, "optimizer": "SGD", "train_loader.batch_size": 64}
metrics = {"train_loss": "[h[0] for h in history]", "val_loss": "[h[1] for h in history]", "val_acc": "[h[2] for h in history]", "batch_loss": 15}
axes = {"val_acc": ["epoch"]}
