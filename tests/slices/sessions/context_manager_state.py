"""A context manager leaves a changed list behind; entered in a cell that assigns nothing."""
# kind: context managers
# %%
from contextlib import contextmanager
depth = [0]; trace = []
@contextmanager
def level():
    depth[0] += 1
    trace.append(depth[0])
    yield
    depth[0] -= 1
# %%
with level():
    with level():
        pass
# %%
dummy = 0
# %%
with level(): dummy
# %%
for t in trace:
    loss = t * 0.5
