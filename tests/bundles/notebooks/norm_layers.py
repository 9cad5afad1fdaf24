"""Batch norm or layer norm: the block is written twice, the second version stays."""
# %% id=imports
import torch
import torch.nn as nn
import torch.nn.functional as F
# %% id=block
class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.lin, self.norm = nn.Linear(dim, dim), nn.BatchNorm1d(dim)
    def forward(self, x):
        return x + F.relu(self.norm(self.lin(x)))
# %% id=data
n, dim = 200, 12
teacher = torch.randn(dim, 3)
X = torch.randn(n, dim)
y = (X @ teacher + 0.3 * torch.randn(n, 3)).argmax(1)
y.bincount()
# %% id=build
model = nn.Sequential(Block(dim), Block(dim), nn.Linear(dim, 3))
# %% id=try
F.cross_entropy(model(X), y)
# %% id=block
class Block(nn.Module):
    """The norm comes first, as in newer papers."""
    def __init__(self, dim):
        super().__init__()
        self.lin, self.norm = nn.Linear(dim, dim), nn.LayerNorm(dim)
    def forward(self, x):
        return x + F.silu(self.lin(self.norm(x)))
# %% id=mixed
mixed = nn.Sequential(Block(dim), nn.BatchNorm1d(dim), nn.Linear(dim, 3))
F.cross_entropy(mixed(X), y)
# %% id=build
model = nn.Sequential(Block(dim), nn.BatchNorm1d(dim), Block(dim), nn.Linear(dim, 3))
# %% id=opt
opt = torch.optim.Adagrad(model.parameters(), lr=0.05)
# %% id=train
%%track norms
for epoch in range(15):
    model.train()
    for rows in torch.arange(150).split(50):
        loss = F.cross_entropy(model(X[rows]), y[rows])
        opt.zero_grad(); loss.backward(); opt.step()
    model.eval()
    with torch.no_grad():
        out = model(X[150:])
        val_loss = F.cross_entropy(out, y[150:]).item()
        val_error = (out.argmax(1) != y[150:]).float().mean().item()
