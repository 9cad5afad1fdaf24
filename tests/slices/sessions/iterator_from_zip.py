"""zip and map are consumed once: a list() for a look empties them."""
# kind: generator position
# %%
xs, ys = [1, 2, 3], [4, 5, 6]
pairs = zip(xs, ys)
doubled = map(lambda v: v * 2, xs)
# %%
next(pairs)
# %%
list(doubled)
# %%
list(enumerate(ys))
# %%
import nbtrack
left = list(pairs)
for x, y in left:
    nbtrack.log(loss=x * y + len(list(doubled)))
