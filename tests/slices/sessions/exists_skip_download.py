"""'Download' only if not there: the second run of the cell did nothing."""
# kind: files
# %%
import os
def get(name, text):
    if not os.path.exists(name):
        with open(name, "w") as f: f.write(text)
    return name
# %%
get("data.txt", "1 2")
# %%
get("data.txt", "7 8 9")
# %%
get("other.txt", "3")
# %%
for t in open("data.txt").read().split():
    loss = float(t)
