# Random restarts around an ordinary loop: every point is kept.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

# %% track
restarts, steps = 3, 5
finals = []
for restart in range(restarts):
    torch.manual_seed(restart)
    model = nn.Linear(10, 2)
    opt = torch.optim.SGD(model.parameters(), lr=0.3)
    for step in range(steps):
        opt.zero_grad()
        loss = F.cross_entropy(model(X), y)
        loss.backward()
        opt.step()
    final_loss = loss.item()
    finals.append(final_loss)
# %% expect
params = {"restarts": 3, "steps": 5}
metrics = {"loss": 15, "final_loss": "finals"}
axes = {"loss": ["restart", "step"]}
