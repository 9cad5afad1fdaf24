"""The module file was edited, but never reloaded: the old code is what ran."""
# kind: local module edited
# provable: maybe
# %% file=lossfn.py
def loss_of(x):
    return x / 2
# %%
from lossfn import loss_of
# %%
loss_of(3)
# %% file=lossfn.py
def loss_of(x):
    return x / 200
# %%
for x in (1, 2):
    loss = loss_of(x)
