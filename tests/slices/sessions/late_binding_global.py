"""A function reads a global that is set later than the function."""
# kind: late-binding globals
# %%
def objective(x):
    return (x - target) ** 2
# %%
target = 3
# %%
print(objective(1))
# %%
target = 5
# %%
for x in range(3):
    loss = objective(x)
