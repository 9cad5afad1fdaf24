# epoch x batch with enumerate, accuracy by counting.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

from torch.utils.data import DataLoader, TensorDataset
dl = DataLoader(TensorDataset(X, y), batch_size=64)
model = nn.Linear(10, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.2)
# %% track
for epoch in range(3):
    correct = 0
    for i, (xb, yb) in enumerate(dl):
        logits = model(xb)
        loss = F.cross_entropy(logits, yb)
        opt.zero_grad(); loss.backward(); opt.step()
        correct += (logits.argmax(1) == yb).sum().item()
        if i % 2 == 0:
            print(epoch, i, round(loss.item(), 3))
    accuracy = correct / len(X)
# %% expect
params = {"epoch": 3, "opt": "SGD", "opt.lr": 0.2, "dl.batch_size": 64}
metrics = {"loss": 12, "accuracy": 3}
axes = {"loss": ["epoch", "i"], "accuracy": ["epoch"]}
