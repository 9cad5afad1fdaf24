"""A C object without attributes (itertools.cycle, zlib, hashlib) keeps state inside."""
# kind: C-extension state
# %%
import hashlib, itertools
h = hashlib.sha256(b"seed")
# %%
cyc = itertools.cycle([1, 2, 3])
# %%
h.update(b"more")
# %%
next(cyc)
# %%
hashlib.sha256(b"other").hexdigest()
# %%
for _ in range(2):
    loss = int(h.hexdigest()[:4], 16) + next(cyc)
