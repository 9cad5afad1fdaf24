"""Star unpacking and swap: three names at a time."""
# kind: unpacking
# %%
first, *rest = [1, 2, 3, 4]
# %%
a, b = 1, 2
# %%
first, rest[0] = rest[0], first
# %%
a, b = b, a
# %%
for r in rest:
    loss = r + first
