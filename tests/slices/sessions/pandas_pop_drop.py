"""df.pop takes a column out while giving it; drop without inplace does nothing."""
# kind: pandas inplace
# %%
import pandas as pd
df = pd.DataFrame({"x": [1., 2.], "w": [3., 4.], "y": [0, 1]})
# %%
y = df.pop("y")
# %%
df.drop(columns="w")
# %%
df.eval("q = x + w")
# %%
for r in df.itertuples(index=False):
    loss = sum(r)
