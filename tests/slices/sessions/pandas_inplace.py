"""fillna(inplace=True), a new column, a sort: none of it assigns df."""
# kind: pandas inplace
# %%
import pandas as pd, numpy as np
df = pd.DataFrame({"x": [3.0, np.nan, 1.0], "y": [1, 2, 3]})
# %%
df.isna().sum()
# %%
df.fillna({"x": 2.0}, inplace=True)
# %%
df.sort_values("x")
# %%
df.sort_values("x", inplace=True)
# %%
df["z"] = df.y * 100
# %%
for x, y in zip(df.x, df.y):
    loss = x * y
