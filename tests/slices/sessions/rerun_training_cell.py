"""The training cell was run twice before; the third, tracked time starts warm."""
# kind: re-run increments
# %% id=init
w = 0.0
def grad(w): return 2 * (w - 1)
# %% id=train
for i in range(3):
    w -= 0.1 * grad(w)
    loss = (w - 1) ** 2
# %% id=look
print(w)
# %% id=train
for i in range(3):
    w -= 0.1 * grad(w)
    loss = (w - 1) ** 2
# %% id=train
for i in range(3):
    w -= 0.1 * grad(w)
    loss = (w - 1) ** 2
