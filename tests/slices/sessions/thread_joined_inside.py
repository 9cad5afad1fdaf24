"""A pool inside one cell: all done when the cell is."""
# kind: threads
# %%
from concurrent.futures import ThreadPoolExecutor
acc_by = {}
# %%
def run(k):
    acc_by[k] = k / 10
    return k
# %%
with ThreadPoolExecutor(2) as ex:
    print(sorted(ex.map(run, [1, 2, 3])))
# %%
run(9) if False else None
# %%
for k in sorted(acc_by):
    acc = acc_by[k]
