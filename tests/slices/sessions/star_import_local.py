"""A star import of a local module overwrites a helper of the notebook."""
# kind: star import
# %% file=tools.py
def scale(x): return x * 100
WIDTH = 5
# %%
def scale(x): return x
# %%
def wide(x): return scale(x) + 1
# %%
wide(1)
# %%
from tools import *
# %%
for x in (1, 2):
    loss = wide(x)
