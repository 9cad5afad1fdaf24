"""A leaf four levels down is changed through a loop variable that stays behind."""
# kind: nested container
# %%
tree = {"runs": [{"cfg": {"w": [1, 2, 3]}}, {"cfg": {"w": [4]}}]}
# %%
for run in tree["runs"]:
    leaf = run["cfg"]["w"]
# %%
len(tree)
# %%
leaf.append(40)
# %%
for run in tree["runs"]:
    loss = sum(run["cfg"]["w"])
