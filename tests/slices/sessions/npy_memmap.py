"""A memmap is written and flushed; the file is read by its name."""
# kind: np.save
# %%
import numpy as np
mm = np.memmap("m.dat", dtype="float64", mode="w+", shape=3)
# %%
mm[:] = [1, 2, 3]
# %%
mm2 = np.memmap("m2.dat", dtype="float64", mode="w+", shape=3)
# %%
mm[1] = 20; mm.flush()
# %%
for v in np.fromfile("m.dat"):
    loss = float(v)
