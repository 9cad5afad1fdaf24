"""The same cell was run three times."""
# kind: re-run increments
# %% id=a
lr = 0.001
# %% id=b
lr = lr * 10
# %% id=b
lr = lr * 10
# %% id=c
print(lr)
# %% id=b
lr = lr * 10
# %% id=t
for i in range(2):
    loss = lr / (i + 1)
