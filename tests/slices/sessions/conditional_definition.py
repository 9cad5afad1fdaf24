"""A name is set only if it is not there yet."""
# kind: conditional definitions
# %%
if "model" not in globals():
    model = {"w": 1}
# %%
model["w"] = 3
# %%
if "model" not in globals():
    model = {"w": 100}
# %%
if "optimizer" not in globals():
    optimizer = "sgd"
# %%
for i in range(2):
    loss = model["w"] * i
