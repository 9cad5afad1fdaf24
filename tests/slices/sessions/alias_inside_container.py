"""An array sits in a dict; the dict's entry is changed, the run reads the array."""
# kind: alias
# %%
import numpy as np
w = np.ones(4)
bag = {"weights": w, "bias": 1}
# %%
copy = {"weights": w.copy()}
# %%
copy["weights"][:] = 9
# %%
bag["weights"][1] = 3
# %%
bag["bias"] = 2
# %%
for x in w:
    loss = float(x) / 2
