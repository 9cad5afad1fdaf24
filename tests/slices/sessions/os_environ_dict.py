"""os.environ[...] and putenv by a helper with setdefault: the first one wins."""
# kind: os.environ
# %%
import os
# %%
os.environ["DEPTH"] = "4"
# %%
os.environ.setdefault("DEPTH", "9")
# %%
os.environ.setdefault("WIDTH", "2")
# %%
d, w = int(os.environ["DEPTH"]), int(os.environ["WIDTH"])
# %%
os.environ["WIDTH"] = "1000"
# %%
for i in range(d):
    loss = w / (i + 1)
