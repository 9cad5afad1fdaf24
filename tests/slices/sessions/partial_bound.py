"""functools.partial keeps the very dict that is changed later."""
# kind: partial
# %%
from functools import partial
def predict(opts, x): return opts["a"] * x + opts["b"]
opts = {"a": 1, "b": 0}
# %%
f = partial(predict, opts)
# %%
f(3)
# %%
opts["a"] = 4
# %%
opts = {"a": 0, "b": 0}
# %%
for x in (1, 2):
    loss = f(x)
