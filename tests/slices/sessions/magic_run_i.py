"""%run -i: the script reads and changes the notebook's own variables."""
# kind: %run
# %% file=double.py
w = [2 * x for x in w]
# %%
w = [1, 2, 3]
# %%
v = [9]
# %%
%run -i double.py
# %%
print(w)
# %%
for x in w:
    loss = x / 4
