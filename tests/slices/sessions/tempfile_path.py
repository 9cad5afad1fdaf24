"""A NamedTemporaryFile's path differs at each run; what is in it does not."""
# kind: tempfile
# %%
import tempfile, os
d = tempfile.mkdtemp()
# %%
p = os.path.join(d, "x.txt")
open(p, "w").write("2 4 8")
# %%
open(os.path.join(d, "y.txt"), "w").write("no")
# %%
for w in open(p).read().split():
    loss = 1 / int(w)
