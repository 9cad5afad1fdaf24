"""itertools.tee and islice: consuming one branch moves the shared source."""
# kind: generator position
# %%
import itertools as it
src = iter(range(1, 20))
a, b = it.tee(src)
# %%
list(it.islice(a, 4))
# %%
c = it.count()
# %%
next(src)       # behind tee's back
# %%
next(c)
# %%
for _ in range(6): loss = next(b)
