"""sys.setrecursionlimit: a helper that counts how deep it came gives less without it."""
# kind: module attribute
# %%
import sys
def depth(n):
    try:
        return 1 + depth(n - 1) if n else 0
    except RecursionError:
        return -10 ** 6
# %%
sys.setrecursionlimit(20_000)
# %%
sys.getswitchinterval()
# %%
for k in (10, 3000):
    loss = depth(k)
