"""Getter and adder share a list that no variable names."""
# kind: closure cell
# %%
def store():
    items = []
    return items.append, lambda: list(items)
add, get = store()
# %%
add(3)
# %%
get()
# %%
add(4)
# %%
for it in get():
    loss = it ** 0.5
