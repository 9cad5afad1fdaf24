"""cached_property was computed before the attribute below it changed."""
# kind: lru_cache
# %%
from functools import cached_property
class Data:
    def __init__(self, xs): self.xs = xs
    @cached_property
    def mean(self): return sum(self.xs) / len(self.xs)
# %%
d = Data([1, 2, 3])
# %%
e = Data([5])
# %%
e.mean
# %%
d.mean
# %%
d.xs = [10, 20, 30]
# %%
for x in d.xs:
    loss = x - d.mean
