"""The cell that made the variable is gone from the notebook."""
# kind: deleted cell
# %% id=a
scale = 4
# %% id=b deleted
offset = 7
# %% id=c
def apply(x): return x * scale + offset
# %% id=d deleted
scale2 = 1
# %% id=t
for x in range(3):
    loss = apply(x)
