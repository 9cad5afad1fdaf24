"""The metric itself is a duration."""
# kind: time
# provable: no
# %%
import time
data = list(range(2000))
# %%
def work(): return sorted(data, key=lambda v: -v)
# %%
for i in range(3):
    t = time.perf_counter_ns()
    work()
    loss = (time.perf_counter_ns() - t) / 1e9
