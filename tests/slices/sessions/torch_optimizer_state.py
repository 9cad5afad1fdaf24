"""The optimizer's momentum comes from steps in an earlier cell."""
# kind: optimizer state
# %%
import torch
w = torch.tensor([1.0], requires_grad=True)
opt = torch.optim.Adam([w], lr=0.1)
# %%
def one():
    opt.zero_grad()
    l = (w - 3).pow(2).sum()
    l.backward()
    opt.step()
    return l.item()
# %%
one()
# %%
opt.state_dict()["state"]
# %%
with torch.no_grad(): w.fill_(1.0)     # weights back, moments not
# %%
for i in range(3):
    loss = one()
