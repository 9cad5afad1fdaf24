"""np.clip(out=), ndarray.sort() and np.random-free in-place helpers of numpy."""
# kind: out=
# %%
import numpy as np
s = np.array([3., -2., 7., 1.])
t = s.copy()
# %%
np.sort(s)
# %%
np.clip(s, 0, 5, out=s)
# %%
t.sort()
# %%
np.put(s, [0], [4.5])
# %%
np.copyto(t, 0)
# %%
for i, v in enumerate(s):
    loss = v * (i + 1)
