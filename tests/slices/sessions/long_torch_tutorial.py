"""A small net by the book; an lr finder was tried in the middle and left traces in the model."""
# kind: long realistic
# rng: yes
# %%
import torch
from torch import nn
import torch.nn.functional as F
# %%
torch.manual_seed(1)
# %%
X = torch.randn(64, 4)
y = (X[:, :2].sum(1) > 0).float()
print(X.shape, y.mean())
# %%
X_train, y_train = X[:48], y[:48]
X_val, y_val = X[48:], y[48:]
# %%
class Net(nn.Module):
    def __init__(self, h=8):
        super().__init__()
        self.a = nn.Linear(4, h)
        self.b = nn.Linear(h, 1)
    def forward(self, x):
        return self.b(F.relu(self.a(x))).squeeze(1)
# %%
model = Net()
sum(p.numel() for p in model.parameters())
# %%
print(model)
# %%
model(X_train[:2])
# %%
def train_step(model, opt, xb, yb):
    opt.zero_grad()
    loss = F.binary_cross_entropy_with_logits(model(xb), yb)
    loss.backward()
    opt.step()
    return loss.item()
# %%
finder = torch.optim.SGD(model.parameters(), lr=1e-3)
found = []
for k in range(4):
    for g in finder.param_groups: g["lr"] *= 3
    found.append(train_step(model, finder, X_train, y_train))
# %%
found
# %%
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
plt.plot(found); plt.xlabel("step");
# %%
small = Net(h=2)
# %%
small(X_val).mean()
# %%
opt = torch.optim.Adam(model.parameters(), lr=0.05)
# %%
epochs = 4
batch = 16
# %%
for epoch in range(epochs):
    for i in range(0, len(X_train), batch):
        loss = train_step(model, opt, X_train[i:i+batch], y_train[i:i+batch])
    with torch.no_grad():
        val_loss = F.binary_cross_entropy_with_logits(model(X_val), y_val).item()
