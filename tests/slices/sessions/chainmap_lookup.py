"""ChainMap looks through to a dict that is changed below it."""
# kind: dict views
# %%
from collections import ChainMap
defaults = {"lr": 0.1, "bs": 8}
user = {}
# %%
conf = ChainMap(user, defaults)
# %%
conf["lr"]
# %%
defaults["bs"] = 16
# %%
user["lr"] = 0.4
# %%
for i in range(1, 3):
    loss = conf["lr"] * conf["bs"] / i
