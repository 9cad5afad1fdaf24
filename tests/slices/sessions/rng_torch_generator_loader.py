"""A DataLoader with its own torch.Generator: each epoch over it moves the generator."""
# kind: DataLoader generator
# rng: yes
# %%
import torch
from torch.utils.data import DataLoader, TensorDataset
g = torch.Generator().manual_seed(3)
# %%
ds = TensorDataset(torch.arange(8.))
dl = DataLoader(ds, batch_size=3, shuffle=True, generator=g)
# %%
next(iter(dl))
# %%
dl2 = DataLoader(ds, batch_size=2)
next(iter(dl2))
# %%
for (xb,) in dl:
    loss = xb[0].item()
