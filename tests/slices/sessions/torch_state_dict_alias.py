"""state_dict() is a view of the weights, not a copy: loading it back is no restore."""
# kind: alias
# %%
import torch
torch.manual_seed(0)
net = torch.nn.Linear(1, 1)
# %%
best = net.state_dict()
# %%
with torch.no_grad():
    for p in net.parameters(): p.add_(1)
# %%
import copy
safe = copy.deepcopy(net.state_dict())
# %%
net.load_state_dict(best)
# %%
for v in (1., 2.):
    loss = net(torch.tensor([[v]])).item()
