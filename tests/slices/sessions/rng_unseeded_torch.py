"""No seed: torch weights are drawn in one cell, the data in another, dropout in the run."""
# kind: RNG order
# rng: yes
# %%
import torch, torch.nn as nn
# %%
net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
# %%
torch.randn(2)
# %%
x = torch.rand(6, 3)
# %%
big = torch.rand(10)
# %%
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(3):
    out = net(x).pow(2).mean()
    opt.zero_grad(); out.backward(); opt.step()
    loss = out.item()
