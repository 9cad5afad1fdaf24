"""One default_rng(seed) object is shared by cells; some draws are thrown away."""
# kind: RNG order
# rng: yes
# %%
import numpy as np
rng = np.random.default_rng(11)
# %%
noise = rng.normal(size=4)
# %%
other = np.random.default_rng(12).normal()
# %%
rng.integers(0, 10, 3)
# %%
for i in range(2):
    loss = rng.random() + noise[i]
