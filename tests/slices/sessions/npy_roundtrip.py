"""np.save, overwritten by a second save; np.load in the run."""
# kind: np.save
# %%
import numpy as np
np.save("w.npy", np.arange(3))
# %%
w = np.load("w.npy")
# %%
np.save("w.npy", w * 2 + 1)
# %%
np.savez("z.npz", a=w)
# %%
for v in np.load("w.npy"):
    loss = float(v)
