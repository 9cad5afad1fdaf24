# While loop with a step counter and a stopping rule.
# %% setup
import math
# %% track
lr = 0.1
tol = 1e-6
x = 5.0
step = 0
loss = float("inf")
while loss > tol and step < 500:
    grad = 2 * (x - 3)
    x -= lr * grad
    loss = (x - 3) ** 2
    step += 1
print(step, x)
# %% expect
params = {"lr": 0.1, "tol": 1e-6}
metrics = {"loss": "step"}
axes = {}
