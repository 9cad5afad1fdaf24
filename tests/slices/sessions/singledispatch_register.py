"""functools.singledispatch: an implementation is registered under the name `_`."""
# kind: registry decorator
# %%
from functools import singledispatch
@singledispatch
def size(x): return 1
# %%
@size.register
def _(x: list): return len(x)
# %%
size([1, 2])
# %%
@size.register
def _(x: str): return 100
# %%
for thing in ([1, 2, 3], 5):
    loss = size(thing) * 0.1
