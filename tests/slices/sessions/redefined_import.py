"""from math import sqrt, later from numpy import sqrt: the last one wins."""
# kind: redefinition of imported names
# %%
from math import sqrt
# %%
a = sqrt(2)
# %%
from numpy import sqrt
# %%
b = sqrt([1.0, 4.0])
# %%
import math as np2
# %%
for v in b:
    loss = float(sqrt(v)) + a
