# The loop is a comprehension over a step function.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

model = nn.Linear(10, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
def train_step(xb, yb):
    opt.zero_grad()
    loss = F.cross_entropy(model(xb), yb)
    loss.backward()
    opt.step()
    return loss.item()
# %% track
losses = [train_step(X, y) for _ in range(10)]
losses[-1] < losses[0]
# %% expect
params = {"opt": "SGD", "opt.lr": 0.1}
metrics = {"loss": "losses"}
axes = {}
