"""Category order decides what groupby iterates over first."""
# kind: pandas inplace
# %%
import pandas as pd
s = pd.Series(["lo", "hi", "lo"], dtype="category")
v = pd.Series([1., 2., 5.])
# %%
s.cat.categories
# %%
s = s.cat.reorder_categories(["lo", "hi"])
# %%
s.value_counts()
# %%
s = s.cat.add_categories(["mid"])
# %%
for key, part in v.groupby(s, observed=False):
    loss = part.sum()
