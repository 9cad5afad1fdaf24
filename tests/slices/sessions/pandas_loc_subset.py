"""A boolean subset is a copy: setting on it leaves the frame as it was; .loc does not."""
# kind: pandas inplace
# %%
import pandas as pd, warnings
warnings.simplefilter("ignore")
df = pd.DataFrame({"g": ["a", "b", "a"], "v": [1., 2., 3.]})
# %%
sub = df[df.g == "a"]
# %%
sub["v"] = 0
# %%
df.loc[df.g == "b", "v"] = 20
# %%
df.groupby("g").v.mean()
# %%
for v in df.v:
    loss = v / 2
