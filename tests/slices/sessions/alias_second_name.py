"""Two names, one dict; it is changed through the name that the run never reads."""
# kind: alias
# %%
config = {"lr": 0.1, "epochs": 3}
# %%
c = config
# %%
other = dict(config)
# %%
c["lr"] = 0.01
# %%
other["lr"] = 77
# %%
for e in range(config["epochs"]):
    loss = config["lr"] * (e + 1)
