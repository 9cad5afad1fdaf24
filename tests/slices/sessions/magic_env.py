"""%env sets what a function reads with os.environ.get."""
# kind: %env
# %%
import os
def lr(): return float(os.environ.get("MY_LR", "0.1"))
# %%
lr()
# %%
%env MY_LR=0.7
# %%
%env OTHER_THING=3
# %%
for i in range(2):
    loss = lr() * (i + 1)
