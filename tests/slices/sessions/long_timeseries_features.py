"""Lags and rolling means are added to a frame column by column; one column is dropped again."""
# kind: long realistic
# %%
import pandas as pd, numpy as np
# %%
t = np.arange(50)
ts = pd.DataFrame({"y": np.sin(t / 5) + t * 0.01})
# %%
ts.plot(); 
# %%
ts["lag1"] = ts.y.shift(1)
# %%
ts["lag7"] = ts.y.shift(7)
# %%
ts.tail(3)
# %%
ts["roll"] = ts.y.rolling(3).mean()
# %%
ts.isna().sum()
# %%
ts.drop(columns="lag7", inplace=True)
# %%
ts.dropna(inplace=True)
# %%
len(ts)
# %%
cut = 40
train, test = ts.iloc[:cut], ts.iloc[cut:]
# %%
naive = (test.y - test.lag1).abs().mean()
print(naive)
# %%
def design(d):
    return np.c_[np.ones(len(d)), d.lag1, d.roll]
# %%
coef, *_ = np.linalg.lstsq(design(train), train.y, rcond=None)
# %%
coef
# %%
resid = train.y - design(train) @ coef
resid.describe()
# %%
pred = design(test) @ coef
for p, y in zip(pred, test.y):
    err = abs(p - y)
