# A learning rate schedule; the lr is a series here.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

# %% track
model = nn.Linear(10, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
lrs = []
for epoch in range(6):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(X), y)
    loss.backward()
    optimizer.step()
    scheduler.step()
    lr = optimizer.param_groups[0]["lr"]
    lrs.append(lr)
# %% expect
params = {"optimizer.lr": 0.5, "scheduler": "StepLR", "scheduler.gamma": 0.5, "scheduler.step_size": 2, "epoch": 6}
metrics = {"loss": 6, "lr": "lrs"}
axes = {"loss": ["epoch"]}
