"""Seeded twice: only the second one matters; the draws in between do not."""
# kind: RNG order
# rng: yes
# %%
import numpy as np
np.random.seed(0)
# %%
a = np.random.rand(3)
# %%
np.random.seed(1)
# %%
b = np.random.rand(2)
# %%
for i in range(2):
    loss = b[i] + np.random.rand()
