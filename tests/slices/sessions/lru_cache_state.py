"""A memo keeps the answer of a time when the global was another."""
# kind: lru_cache
# %%
import functools
rate = 1.0
# %%
@functools.lru_cache(None)
def cost(n):
    return n * rate
# %%
cost(2)
# %%
rate = 3.0
# %%
for n in (1, 2, 3):
    loss = cost(n)
