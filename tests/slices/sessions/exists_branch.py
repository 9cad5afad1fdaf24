"""if os.path.exists('cache'): the branch depends on a file made by a cell."""
# kind: files
# %%
import os
# %%
open("cache.txt", "w").write("0.125")
# %%
val = 1.0
# %%
if os.path.exists("cache.txt"):
    val = float(open("cache.txt").read())
# %%
if os.path.exists("nothing.txt"):
    val = -1
# %%
for i in range(2):
    loss = val * (i + 1)
