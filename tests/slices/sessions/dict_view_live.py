"""A view of a dict's keys is live."""
# kind: dict views
# %%
params = {"a": 1}
# %%
ks = params.keys(); vs = list(params.values())
# %%
params["b"] = 2
# %%
vs.append(3)
# %%
params2 = {**params, "z": 0}
# %%
for k in ks:
    loss = len(k) + len(ks)
