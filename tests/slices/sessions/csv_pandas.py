"""to_csv, then appended by hand with open(..., 'a'), then read_csv."""
# kind: csv
# %%
import pandas as pd
pd.DataFrame({"a": [1, 2]}).to_csv("d.csv", index=False)
# %%
pd.read_csv("d.csv").describe()
# %%
with open("d.csv", "a") as f:
    f.write("7\n")
# %%
pd.DataFrame({"b": [0]}).to_csv("e.csv")
# %%
df = pd.read_csv("d.csv")
for a in df.a:
    loss = a / 7
