"""Sensor readings are cleaned and written to a CSV, which the later cells read again."""
# %%
import os
import numpy as np
import pandas as pd
rng = np.random.default_rng()
# %%
hours = np.arange(24 * 30)
temperature = 15 + 6 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 1.0, len(hours))
raw = pd.DataFrame({"hour": hours, "temp": temperature})
raw.loc[rng.choice(len(raw), 25, replace=False), "temp"] = np.nan
raw.temp.isna().sum()
# %%
os.makedirs("prepared", exist_ok=True)
clean = raw.assign(temp=raw.temp.interpolate(limit_direction="both"))
clean.to_csv("prepared/clean.csv", index=False)
# %%
print(open("prepared/clean.csv").read(60))
# %%
series = pd.read_csv("prepared/clean.csv", index_col="hour").temp
series.tail()
# %%
smooth = series.rolling(24, min_periods=1).mean()
(series - smooth).std()
# %%
lags = pd.concat({f"lag{k}": series.shift(k) for k in (1, 2, 24)}, axis=1).dropna()
goal = series.loc[lags.index]
lags.shape
# %%
%%track sensor
alphas = np.logspace(-2, 3, 6)
cut = int(len(lags) * 0.8)
M, g = lags.to_numpy(), goal.to_numpy()
for alpha in alphas:
    inner = M[:cut].T @ M[:cut] + alpha * np.eye(3)
    weights = np.linalg.solve(inner, M[:cut].T @ g[:cut])
    train_rmse = np.sqrt(np.mean((M[:cut] @ weights - g[:cut]) ** 2))
    test_rmse = np.sqrt(np.mean((M[cut:] @ weights - g[cut:]) ** 2))
    print(f"{alpha:8.2f}  {train_rmse:.4f}  {test_rmse:.4f}")
