"""Gradient descent by hand; the helper was rewritten three times, notes in between."""
# kind: long realistic
# %% id=imports
import numpy as np
# %% id=data
rng = np.random.RandomState(7)
x = np.linspace(-1, 1, 20)
t = 2 * x - 0.5 + 0.05 * rng.randn(20)
# %% id=look
x[:5], t[:5]
# %% id=loss
def mse(w, b):
    return ((w * x + b - t) ** 2).mean()
# %% id=grad
def grad(w, b):
    e = w * x + b - t
    return e.mean(), (e * x).mean()      # wrong order!
# %% id=params
w, b = 0.0, 0.0
lr = 0.5
# %% id=try1
for _ in range(3):
    gw, gb = grad(w, b)
    w -= lr * gw; b -= lr * gb
print(mse(w, b))
# %% id=grad
def grad(w, b):
    e = w * x + b - t
    return (e * x).mean(), e.mean()
# %% id=check
eps = 1e-6
num = (mse(w + eps, b) - mse(w - eps, b)) / (2 * eps)
print(num, 2 * grad(w, b)[0])
# %% id=grad
def grad(w, b):
    e = w * x + b - t
    return 2 * (e * x).mean(), 2 * e.mean()
# %% id=check
eps = 1e-6
num = (mse(w + eps, b) - mse(w - eps, b)) / (2 * eps)
print(num, grad(w, b)[0])
# %% id=params
w, b = 0.0, 0.0
lr = 0.1
# %% id=hist
history = []
# %% id=run
for step in range(5):
    gw, gb = grad(w, b)
    w -= lr * gw; b -= lr * gb
    loss = mse(w, b)
    history.append(loss)
