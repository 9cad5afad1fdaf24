"""The helper's second version is what the run calls; its caller stayed the same."""
# kind: edited function
# %% id=1
def act(x): return max(0, x)
# %% id=2
def layer(x): return act(x - 1)
# %% id=3
layer(5)
# %% id=1
def act(x): return x if x > 0 else 0.1 * x
# %% id=t
for x in (-1, 0, 4):
    loss = layer(x)
