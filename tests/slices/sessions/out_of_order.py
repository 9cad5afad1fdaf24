"""Cells were executed bottom up."""
# kind: out of order
# %% id=low
b = 10
# %% id=high above=low
a = 1
# %% id=mid above=low
b = b + a
# %% id=low
b = 10
# %% id=mid
b = b + a
# %% id=t
for i in range(3):
    loss = b * i
