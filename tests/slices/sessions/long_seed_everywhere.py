"""A seed_everything() helper is called now and then; draws in between belong to looks."""
# kind: long realistic
# rng: yes
# %%
import random, os
import numpy as np, torch
def seed_everything(s):
    random.seed(s); np.random.seed(s); torch.manual_seed(s)
    os.environ["PYTHONHASHSEED"] = str(s)
# %%
seed_everything(0)
# %%
X = np.random.rand(20, 3)
# %%
torch.rand(1)
# %%
X[random.randrange(20)]
# %%
w_true = np.array([1.0, -2.0, 0.5])
# %%
y = X @ w_true + 0.01 * np.random.randn(20)
# %%
print(y.mean())
# %%
idx = list(range(20))
random.shuffle(idx)
# %%
idx[:3]
# %%
seed_everything(1)
# %%
net = torch.nn.Linear(3, 1)
# %%
torch.rand(2), random.random()
# %%
Xt = torch.tensor(X[idx], dtype=torch.float32); yt = torch.tensor(y[idx], dtype=torch.float32)
# %%
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for e in range(3):
    order = torch.randperm(20)
    for i in order.split(10):
        l = (net(Xt[i]).squeeze(1) - yt[i]).pow(2).mean()
        opt.zero_grad(); l.backward(); opt.step()
        loss = l.item()
