"""df.columns = [...] and df.index.name: attributes of the frame."""
# kind: pandas inplace
# %%
import pandas as pd
df = pd.DataFrame([[1, 2], [3, 4]])
# %%
df.columns = ["a", "b"]
# %%
df.index.name = "row"
# %%
df.shape
# %%
df.insert(0, "c", [7, 8])
# %%
for col in df:
    loss = float(df[col].sum())
