"""A slice of an array is a view: writing there changes the whole."""
# kind: view
# %%
import numpy as np
X = np.arange(12.0).reshape(3, 4)
# %%
left = X[:, :2]
# %%
left_copy = X[:, :2].copy()
# %%
left_copy *= 100
# %%
left *= 10
# %%
for row in X:
    loss = row.sum()
