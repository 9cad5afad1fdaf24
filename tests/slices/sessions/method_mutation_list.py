"""A list grows by a method call in a cell that assigns nothing."""
# kind: method mutation
# %%
batches = [3, 1, 4]
# %%
notes = ["first try"]
# %%
batches.append(15)
# %%
notes.append("looks ok")
# %%
for b in batches:
    loss = 1 / b
