"""from math import * brings names; one of them was shadowed before, one after."""
# kind: star import
# %%
pi = 3
# %%
from math import *
# %%
e = 2
# %%
floor(2.5)
# %%
for k in range(1, 3):
    loss = sqrt(k) * pi + e
