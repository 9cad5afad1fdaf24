"""sys.setrecursionlimit: the except branch depends on it."""
# kind: module attribute
# %%
import sys
def depth(n):
    try:
        return 1 + depth(n + 1) if n < 5000 else 0
    except RecursionError:
        return 0
# %%
sys.setrecursionlimit(400)
# %%
sys.getswitchinterval()
# %%
for k in (4990, 4000):
    loss = min(depth(k), 50)
