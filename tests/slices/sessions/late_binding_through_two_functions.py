"""The run calls f, f calls g, g reads SCALE; g is defined after f."""
# kind: late-binding globals
# %%
def f(x): return g(x) + 1
# %%
SCALE = 2
# %%
def g(x): return SCALE * x
# %%
f(10)
# %%
unrelated = [g(i) for i in range(3)]
# %%
SCALE = 7
# %%
import nbtrack
for i in range(3):
    nbtrack.log(loss=f(i))
