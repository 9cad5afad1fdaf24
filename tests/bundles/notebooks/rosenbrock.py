"""Downhill on Rosenbrock's valley: plain, with momentum, and Adam, all by hand."""
# %%
import numpy as np
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
# %%
def f(p):
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2

def grad(p):
    x, y = p
    return np.array([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)])
# %%
eps = 1e-6
p = np.array([-1.2, 1.0])
numeric = [(f(p + eps * e) - f(p - eps * e)) / (2 * eps) for e in np.eye(2)]
np.allclose(numeric, grad(p), atol=1e-3)
# %%
xs = np.linspace(-2, 2, 60)
Z = f(np.meshgrid(xs, xs))
plt.contour(xs, xs, Z, levels=np.logspace(-1, 3, 8))
# %%
q = p.copy()
for _ in range(200):
    q -= 1e-3 * grad(q)
f(q)
# %%
class Adam:
    def __init__(self, lr=0.02, b1=0.9, b2=0.999):
        self.lr, self.b1, self.b2, self.t = lr, b1, b2, 0
        self.m = self.v = 0.0
    def step(self, g):
        self.t += 1
        self.m = self.b1 * self.m + (1 - self.b1) * g
        self.v = self.b2 * self.v + (1 - self.b2) * g * g
        m, v = self.m / (1 - self.b1**self.t), self.v / (1 - self.b2**self.t)
        return self.lr * m / (np.sqrt(v) + 1e-8)
# %%
adam = Adam(lr=0.05)
start = np.array([-1.2, 1.0])
plt.plot(*start, "r*")
# %%
%%track valley
p = start.copy()
for i in range(300):
    p = p - adam.step(grad(p))
    loss = f(p)
    distance_error = np.hypot(*(p - 1))
print(p, loss)
