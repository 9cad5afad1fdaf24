"""torch.set_default_dtype(float64) changes what torch.tensor(0.1) is."""
# kind: numeric context
# %%
import torch
# %%
a = torch.tensor(0.1)
# %%
torch.set_default_dtype(torch.float64)
# %%
b = torch.tensor(0.1)
# %%
torch.set_grad_enabled(True)
# %%
for k in (1, 3):
    loss = (b * k).item()
