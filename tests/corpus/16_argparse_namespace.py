# Scripts moved into notebooks keep their args object.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

from argparse import Namespace
args = Namespace(lr=0.02, epochs=4, batch_size=128, optimizer="adam", seed=7)
# %% track
torch.manual_seed(args.seed)
model = nn.Linear(10, 2)
opt = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    for start in range(0, len(X), args.batch_size):
        xb, yb = X[start:start + args.batch_size], y[start:start + args.batch_size]
        loss = F.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
# %% expect
params = {"args.lr": 0.02, "args.epochs": 4, "args.batch_size": 128, "args.optimizer": "adam", "args.seed": 7}
metrics = {"loss": 8}
axes = {"loss": ["epoch", "start"]}
