"""The append cell ran twice, and the cell that makes the list once in between."""
# kind: re-run increments
# %% id=make
xs = [1.0]
# %% id=app
xs.append(len(xs) + 1)
# %% id=make
xs = [1.0]
# %% id=app
xs.append(len(xs) + 1)
# %% id=app
xs.append(len(xs) + 1)
# %% id=t
for x in xs:
    loss = x / 10
