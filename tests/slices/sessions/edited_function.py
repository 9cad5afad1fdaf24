"""A function is edited and run again; an object made by the old one stays."""
# kind: edited function
# %% id=f
def make(n): return [n] * 2
# %% id=g
data = make(3)
# %% id=f
def make(n): return [n] * 5
# %% id=h
new = make(1)
# %% id=t
for d in data:
    loss = d / 3
