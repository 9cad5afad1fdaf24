"""to_numpy() of one float column may share memory; a write through it shows in the frame."""
# kind: view
# %%
import pandas as pd, numpy as np
arr = np.array([1.0, 2.0, 3.0])
df = pd.DataFrame(arr.reshape(-1, 1), columns=["a"], copy=False)
# %%
df.head()
# %%
arr[0] = 50
# %%
df.describe()
# %%
for v in df["a"]:
    loss = v + 1
