"""A local module is edited while %autoreload 2 is on."""
# kind: %autoreload
# %% file=helpers.py
GAIN = 1
def boost(x):
    return x * GAIN
# %%
%load_ext autoreload
%autoreload 2
# %%
from helpers import boost
# %%
boost(3)
# %% file=helpers.py
GAIN = 5
def boost(x):
    return x * GAIN + 1
# %%
boost(3)
# %%
for x in range(3):
    loss = boost(x)
