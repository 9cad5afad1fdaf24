# Plain script style: constants on top, one loss per epoch, printed.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

# %% track
lr = 1e-2
n_epochs = 8
model = nn.Linear(10, 2)
optimizer = torch.optim.Adam(model.parameters(), lr=lr)
for epoch in range(n_epochs):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(X), y)
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}")
# %% expect
params = {"lr": 1e-2, "n_epochs": 8, "optimizer": "Adam", "optimizer.lr": 1e-2}
metrics = {"loss": 8}
axes = {"loss": ["epoch"]}
