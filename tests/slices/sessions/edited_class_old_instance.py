"""The class is defined anew; the instance is of the old one."""
# kind: edited function
# %% id=c
class Cfg:
    lr = 0.1
# %% id=i
cfg = Cfg()
# %% id=c
class Cfg:
    lr = 0.9
# %% id=j
other = Cfg()
# %% id=t
for k in range(3):
    loss = cfg.lr ** k
