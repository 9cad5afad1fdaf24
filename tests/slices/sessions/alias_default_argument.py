"""A function's default argument is the very list that another cell changes."""
# kind: mutable default
# %%
history = []
# %%
def push(v, to=history):
    to.append(v)
    return sum(to)
# %%
history.append(10)
# %%
history = ["something else entirely"]
# %%
for k in (1, 2):
    loss = push(k)
