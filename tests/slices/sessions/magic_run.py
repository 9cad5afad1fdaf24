"""%run of a script beside the notebook fills the namespace."""
# kind: %run
# %% file=setup_data.py
base = 3
values = [base * i for i in range(4)]
def shift(v): return v + base
# %%
%run setup_data.py
# %%
tmp = shift(1)
# %%
base = 10      # shift still sees the script's own base? no: it sees this only with -i
# %%
for v in values:
    loss = shift(v)
