"""train_test_split without random_state draws from numpy's global generator."""
# kind: RNG order
# rng: yes
# %%
import numpy as np
from sklearn.model_selection import train_test_split
np.random.seed(42)
# %%
X = np.arange(20).reshape(10, 2); y = np.arange(10)
# %%
_a, _b = train_test_split(X, test_size=0.5)
# %%
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3)
# %%
for v in yb:
    score = float(v)
