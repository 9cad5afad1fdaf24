"""A generator was advanced by a peek."""
# kind: generator position
# %%
def stream():
    for i in range(10):
        yield i * 1.1
# %%
g = stream()
# %%
g2 = stream()
# %%
next(g)
# %%
next(g2)
# %%
for _ in range(3):
    loss = next(g)
