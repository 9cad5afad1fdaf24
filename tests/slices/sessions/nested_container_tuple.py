"""A tuple cannot change, but the list in it can."""
# kind: nested container
# %%
pair = ([1, 2], "train")
# %%
xs, label = pair
# %%
label = "test"
# %%
xs += [3]
# %%
for v in pair[0]:
    loss = 1 / v
