"""Least squares by gradient steps on a wide random table, in single precision."""
# %%
import torch
# %%
n, d = 4000, 300
A = torch.randn(n, d)
truth = torch.randn(d, 1)
b = A @ truth + 0.5 * torch.randn(n, 1)
# %%
A.mean(), b.std()
# %%
w = torch.zeros(d, 1, requires_grad=True)
# %%
rate = 0.2
# %%
def error(w):
    return ((A @ w - b) ** 2).mean()
# %%
%%track table
for step in range(25):
    loss = error(w)
    loss.backward()
    with torch.no_grad():
        w -= rate * w.grad
        w.grad.zero_()
    distance_error = (w - truth).norm().item()
