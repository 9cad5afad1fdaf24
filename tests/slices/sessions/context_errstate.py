"""np.seterr(all='raise') makes a later computation take its except branch."""
# kind: numeric context
# %%
import numpy as np
np.seterr(all="ignore")
# %%
def safe(a, b):
    try:
        return float(np.float64(a) / np.float64(b))
    except FloatingPointError:
        return -1.0
# %%
safe(1, 0)
# %%
np.seterr(divide="raise")
# %%
with np.errstate(all="warn"):
    np.float64(1) / np.float64(3)
# %%
for b in (0, 2):
    loss = safe(1, b)
