"""The alias is rebound before it is changed: the original stays as it was."""
# kind: alias
# %%
rows = [1, 2, 3]
# %%
mine = rows
# %%
mine = mine + [4]
# %%
mine.append(5)
# %%
for r in rows:
    loss = r * 0.5
