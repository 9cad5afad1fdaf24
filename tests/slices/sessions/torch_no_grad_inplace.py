"""requires_grad_(False) on one layer, and train()/eval() flags."""
# kind: torch hooks
# %%
import torch
from torch import nn
torch.manual_seed(1)
m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
# %%
m[0].requires_grad_(False)
# %%
sum(p.numel() for p in m.parameters())
# %%
m.eval()
# %%
o = torch.optim.SGD([p for p in m.parameters() if p.requires_grad], lr=.1)
x = torch.ones(4, 2)
for _ in range(3):
    l = m(x).pow(2).mean(); o.zero_grad(); l.backward(); o.step()
    loss = l.item()
