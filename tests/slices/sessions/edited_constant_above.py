"""The constant's cell above was edited and run after the cell that used the old one."""
# kind: edited function
# %% id=const
N = 3
# %% id=use
grid = list(range(N))
# %% id=const
N = 100
# %% id=t
for gv in grid:
    loss = gv / N
