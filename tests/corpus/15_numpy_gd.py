# Gradient descent by hand in numpy.
# %% setup
import numpy as np
rng = np.random.default_rng(0)
A = rng.normal(size=(100, 3))
b = A @ np.array([1.0, -2.0, 0.5])
# %% track
alpha, iters = 0.05, 40
theta = np.zeros(3)
mse_history = np.zeros(iters)
for it in range(iters):
    residual = A @ theta - b
    theta -= alpha * A.T @ residual / len(b)
    mse = (residual ** 2).mean()
    mse_history[it] = mse
theta.round(2)
# %% expect
params = {"alpha": 0.05, "iters": 40}
metrics = {"mse": "list(mse_history)"}
axes = {"mse": ["it"]}
