"""A view by .view(-1) of a tensor is zeroed in part."""
# kind: view
# %%
import torch as T
W = T.arange(6.).view(2, 3)
# %%
flat = W.view(-1)
# %%
print(flat.shape, W.norm())
# %%
flat[4:].zero_()
# %%
V = W.t().contiguous()
# %%
V.add_(1)
# %%
for r in W:
    score = r.sum().item()
