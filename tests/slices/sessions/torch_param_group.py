"""The learning rate in a param group is halved by hand."""
# kind: optimizer state
# %%
import torch
p = torch.nn.Parameter(torch.tensor([2.0]))
sgd = torch.optim.SGD([p], lr=1.0)
# %%
for g in sgd.param_groups: g["lr"] *= 0.25
# %%
print([g["lr"] for g in sgd.param_groups])
# %%
g = None
# %%
for i in range(3):
    l = (p ** 2).sum(); sgd.zero_grad(); l.backward(); sgd.step()
    loss = p.item()
