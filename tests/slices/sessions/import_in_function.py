"""A function imports and caches a module object in a global on first call."""
# kind: import inside functions
# %%
_mod = None
def lib():
    global _mod
    if _mod is None:
        import math
        _mod = math
    return _mod
# %%
lib().pi
# %%
import cmath
# %%
for k in (1, 4):
    loss = lib().sqrt(k)
