"""A forward pass in train mode, thrown away, moves BatchNorm's running mean."""
# kind: BatchNorm buffers
# %%
import torch
bn = torch.nn.BatchNorm1d(2)
# %%
x = torch.arange(8.).view(4, 2)
# %%
_ = bn(x)
# %%
xx = x * 3
# %%
bn.eval()
# %%
bn(xx)      # eval: only a look
# %%
for r in bn(x):
    loss = r.sum().item()
