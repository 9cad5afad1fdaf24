"""A seed from the clock: no replay can give the same."""
# kind: time
# provable: no
# %%
import time
t0 = time.time_ns()
# %%
k = t0 % 1_000_003
# %%
for i in range(3):
    loss = (k * (i + 1)) % 97 + k / 1e6
