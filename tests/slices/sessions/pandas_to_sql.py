"""to_sql with if_exists='append', read back with read_sql."""
# kind: DB side effects
# %%
import pandas as pd, sqlite3
con = sqlite3.connect("t.db")
df = pd.DataFrame({"a": [1., 2.]})
# %%
df.to_sql("t", con, index=False)
# %%
df2 = df * 10
# %%
df2.to_sql("t", con, index=False, if_exists="append")
# %%
df.head()
# %%
for v in pd.read_sql("select a from t", con)["a"]:
    loss = v
