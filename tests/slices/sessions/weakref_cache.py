"""A WeakValueDictionary: an entry lives as long as some variable keeps it."""
# kind: weakref caches
# %%
import weakref
class Big:
    def __init__(self, v): self.v = v
cache = weakref.WeakValueDictionary()
# %%
a = Big(1); cache["a"] = a
# %%
b = Big(2); cache["b"] = b
# %%
del a
# %%
c = 3
# %%
for k in sorted(cache):
    loss = cache[k].v + len(cache)
