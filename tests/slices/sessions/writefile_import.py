"""%%writefile makes the module that the run imports inside a function."""
# kind: %%writefile
# %%
%%writefile mymod_a.py
LR = 0.5
def f(x): return LR * x
# %%
%%writefile unused_b.py
y = 1
# %%
def go(x):
    import mymod_a
    return mymod_a.f(x)
# %%
for x in (1, 2):
    loss = go(x)
