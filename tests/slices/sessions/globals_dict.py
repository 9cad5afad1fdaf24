"""globals()[...] is written and read by computed names."""
# kind: exec/globals
# %%
for i in range(3):
    globals()[f"w_{i}"] = i * 10
# %%
w_1 = 77
# %%
w_9 = 1000
# %%
total = sum(globals()[f"w_{i}"] for i in range(3))
# %%
for i in range(1, 3):
    loss = total / i
