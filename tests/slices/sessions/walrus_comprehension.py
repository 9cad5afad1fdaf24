"""A walrus in a comprehension binds a name of the notebook."""
# kind: walrus in comprehension
# %%
xs = [3, 1, 2]
last = 0
# %%
ys = [last := x * 2 for x in xs]
# %%
zs = [x for x in range(100)]
# %%
for i in range(2):
    loss = last + i
