"""exec of a built string makes the names."""
# kind: exec/globals
# %%
names = ["alpha", "beta"]
# %%
for i, n in enumerate(names):
    exec(f"{n} = {i + 2}")
# %%
gamma = 9
# %%
alpha += 1
# %%
for k in range(2):
    loss = alpha * beta + k
