# Keras-like history dictionary filled by hand.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

model = nn.Linear(10, 2)
# %% track
config = {"lr": 0.05, "epochs": 6, "layers": [10, 2]}
opt = torch.optim.Adam(model.parameters(), lr=config["lr"])
hist = {"loss": [], "acc": []}
for ep in range(config["epochs"]):
    opt.zero_grad()
    pred = model(X)
    loss = nn.functional.cross_entropy(pred, y)
    loss.backward()
    opt.step()
    hist["loss"].append(loss.item())
    hist["acc"].append((pred.argmax(-1) == y).float().mean().item())
# %% expect
params = {"config.lr": 0.05, "config.epochs": 6, "config.layers": [10, 2], "opt": "Adam"}
metrics = {"loss": "hist['loss']", "acc": "hist['acc']"}
axes = {"loss": ["ep"]}
