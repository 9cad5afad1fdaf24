"""_3 is the result of an execution whose cell was edited later."""
# kind: Out[n]
# %% id=a
n = 4
# %% id=b
n ** 2
# %% id=b
n ** 3
# %% id=c
"something"
# %% id=d
n = 1
# %% id=t
for d in range(1, 3):
    loss = _3 / d
