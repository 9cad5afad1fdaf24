"""Out[n] and _ are used instead of a name."""
# kind: Out[n]
# %%
3 + 4
# %%
"noise"
# %%
base = Out[1] * 2
# %%
base + 1
# %%
top = _
# %%
for i in range(2):
    loss = base + top + i
