"""A forward hook changes the output; it is registered without a name."""
# kind: torch hooks
# %%
import torch
torch.manual_seed(0)
net = torch.nn.Linear(2, 1)
x = torch.ones(3, 2)
# %%
net.register_forward_hook(lambda m, i, o: o * 10)
# %%
net(x)
# %%
acts = []
h = net.register_forward_hook(lambda m, i, o: acts.append(o.detach()))
# %%
h.remove()
# %%
for r in net(x):
    loss = r.item()
