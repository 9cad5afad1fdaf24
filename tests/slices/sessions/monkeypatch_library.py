"""math.floor is replaced by somebody in a hurry; a function elsewhere uses it."""
# kind: module attribute
# %%
import math
# %%
def binned(v):
    return math.floor(v)
# %%
math.floor = lambda v: int(v) + 100
# %%
math.tau
# %%
for v in (1.5, 2.5):
    loss = binned(v)
