"""np.add(..., out=a) writes into an array without naming it on a left side."""
# kind: out=
# %%
import numpy as np
a = np.zeros(3); b = np.arange(3.)
# %%
np.add(a, b)
# %%
np.add(a, b, out=a)
# %%
np.multiply(b, 2)
# %%
for v in a: mse = v ** 2
