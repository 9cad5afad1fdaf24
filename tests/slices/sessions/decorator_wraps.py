"""functools.wraps hides the function; the wrapped one reads a global that changes."""
# kind: decorators with state
# %%
import functools
def traced(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kw):
        return fn(*args, **kw)
    return wrapper
# %%
margin = 1
@traced
def hinge(z): return max(0, margin - z)
# %%
hinge(0)
# %%
margin = 3
# %%
marginal = 12
# %%
for z in (0.5, 2.5):
    loss = hinge(z)
