"""setattr with a computed name on a class."""
# kind: class attributes
# %%
class HP: pass
# %%
for k, v in {"lr": 0.1, "wd": 0.01}.items():
    setattr(HP, k, v)
# %%
HP.extra = 1
# %%
hp = HP()
# %%
for i in range(2):
    loss = hp.lr * i + hp.wd
