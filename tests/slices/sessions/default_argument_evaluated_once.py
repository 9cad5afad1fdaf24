"""The default is computed when def runs, not when the function is called."""
# kind: mutable default
# %%
momentum = 0.9
# %%
def step(v, m=momentum): return v * m
# %%
momentum = 0.1
# %%
step(1)
# %%
for v in (1, 2):
    loss = step(v)
