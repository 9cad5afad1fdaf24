"""A package folder beside the notebook, imported plainly."""
# kind: local module edited
# %% file=pkg/__init__.py
from .core import K
# %% file=pkg/core.py
K = 12
def area(r): return K * r
# %%
from pkg import K
# %%
import pkg.core
# %%
pkg.core.K = 3
# %%
for r in range(1, 3):
    loss = pkg.core.area(r)
