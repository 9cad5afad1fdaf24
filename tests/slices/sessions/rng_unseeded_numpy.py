"""No seed: np.random.* drawn in two cells, the first only looks at its draw."""
# kind: RNG order
# rng: yes
# %%
import numpy as np
# %%
np.random.rand(3)
# %%
X = np.random.randn(5)
# %%
np.random.permutation(4)
# %%
for i in range(2):
    loss = float(X.sum() + np.random.rand())
