"""A line through points with outliers; the robust loss comes from a small package."""
# %%
import numpy as np
import tinystats as ts
rng = np.random.default_rng()
# %%
x = rng.uniform(-1, 1, 60)
y = 2 * x - 0.5 + 0.1 * rng.standard_normal(60)
y[rng.integers(0, 60, 6)] += 4
# %%
weights = np.zeros(2)
A = np.c_[x, np.ones(60)]
# %%
def slope_of_loss(w):
    return A.T @ ts.huber_slope(A @ w - y) / len(y)
# %%
slope_of_loss(weights)
# %%
%%track robust
for step in range(40):
    weights = weights - 0.3 * slope_of_loss(weights)
    loss = ts.huber(A @ weights - y).mean()
    slope_error = abs(weights[0] - 2)
