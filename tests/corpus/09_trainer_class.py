# A Trainer class defined in an earlier cell.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

# %% setup
class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.losses = []

    def step(self, xb, yb):
        self.opt.zero_grad()
        loss = F.cross_entropy(self.model(xb), yb)
        loss.backward()
        self.opt.step()
        return loss.item()

    def fit(self, X, y, epochs):
        for epoch in range(epochs):
            loss = self.step(X, y)
            self.losses.append(loss)
        return self
# %% track
trainer = Trainer(nn.Linear(10, 2), lr=0.03)
trainer.fit(X, y, epochs=7)
trainer.losses[-1]
# %% expect
params = {"lr": 0.03, "epochs": 7}
metrics = {"loss": "trainer.losses"}
axes = {"loss": ["epoch"]}
