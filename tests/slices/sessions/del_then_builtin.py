"""A name shadowed a builtin, and was deleted again before the run."""
# kind: del
# %%
sum = lambda xs: -1
# %%
sum([1, 2])
# %%
data = [1, 2, 3]
# %%
del sum
# %%
for k in range(1, 4):
    loss = sum(data[:k])
