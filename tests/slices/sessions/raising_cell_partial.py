"""A cell dies half way; what it did before that counts."""
# kind: raising cell
# %%
stats = {"n": 0}
# %%
stats["n"] = 5
raise ValueError("stop here, rest is todo")
# %%
stats["m"] = 1
1 / 0
# %%
print(stats)
# %%
for i in range(stats["n"]):
    loss = i / 10
