"""os.urandom and uuid4: entropy that no seed reaches."""
# kind: time
# provable: no
# %%
import os, uuid
key = int.from_bytes(os.urandom(4), "big")
# %%
tag = uuid.uuid4().hex
# %%
for i in range(1, 3):
    loss = key / i
