"""A notebook-local module is rewritten by %%writefile and reloaded."""
# kind: local module edited
# %% id=w
%%writefile modelz.py
def predict(x):
    return x + 1
# %%
import importlib, modelz
# %%
modelz.predict(1)
# %% id=w
%%writefile modelz.py
def predict(x):
    return x * 2.5
# %%
importlib.reload(modelz)
# %%
for x in (1, 2):
    score = modelz.predict(x)
