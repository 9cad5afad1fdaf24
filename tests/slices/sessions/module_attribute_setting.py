"""A setting is kept as an attribute of a module (a common habit)."""
# kind: module attribute
# %%
import types, sys
settings = types.ModuleType("settings")
sys.modules["settings"] = settings
# %%
settings.LR = 0.3
# %%
settings.NAME = "exp"
# %%
def step(w):
    import settings
    return w - settings.LR
# %%
w = 1.0
for _ in range(3):
    w = step(w)
    loss = w ** 2
