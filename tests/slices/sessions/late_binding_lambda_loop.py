"""Lambdas made in a loop all see the loop variable's last value, then a later one."""
# kind: late-binding globals
# %%
fs = []
for k in range(3):
    fs.append(lambda x: x * k)
# %%
[f(1) for f in fs]
# %%
k = 10
# %%
j = 3
# %%
for fn in fs:
    loss = fn(2)
