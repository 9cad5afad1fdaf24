"""A counting decorator: each call, also a look, moves the schedule."""
# kind: decorators with state
# %%
def counted(fn):
    def inner(*a):
        inner.calls += 1
        return fn(*a) / inner.calls
    inner.calls = 0
    return inner
# %%
@counted
def lossy(x): return x * 10
# %%
lossy(1)
# %%
@counted
def other(x): return x
other(3)
# %%
for x in (1, 2):
    loss = lossy(x)
