"""Functions are put into a registry by a decorator; nobody names them again."""
# kind: registry decorator
# %%
LOSSES = {}
def register(fn):
    LOSSES[fn.__name__] = fn
    return fn
# %%
@register
def l1(x): return abs(x)
# %%
@register
def l2(x): return x * x
# %%
def l3(x): return x ** 3   # forgot the decorator
# %%
for name in LOSSES:
    loss = LOSSES[name](-3)
