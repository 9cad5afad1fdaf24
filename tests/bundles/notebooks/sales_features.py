"""Two years of made-up sales, features by group, a linear model by gradient steps."""
# %%
import numpy as np
import pandas as pd
# %%
days = pd.date_range("2022-01-01", periods=500, freq="D")
shops = ["north", "south", "harbour"]
sales = pd.DataFrame(
    [(d, s) for d in days for s in shops], columns=["day", "shop"]
)
sales["units"] = np.random.poisson(20, len(sales)) + 8 * (sales.day.dt.dayofweek >= 5)
sales.head()
# %%
sales["price"] = np.random.choice([9.9, 12.5, 14.0], len(sales))
sales["revenue"] = sales["units"] * sales["price"]
# %%
sales.groupby("shop").revenue.agg(["mean", "std"])
# %%
monthly = sales.pivot_table(index=sales.day.dt.month, columns="shop", values="revenue")
monthly.round(1)
# %%
by_shop = sales.groupby("shop")["units"]
sales["lag_7"] = by_shop.shift(7)
sales["mean_28"] = by_shop.transform(lambda s: s.shift(1).rolling(28).mean())
sales["weekend"] = (sales.day.dt.dayofweek >= 5).astype(float)
# %%
table = sales.dropna().reset_index(drop=True)
columns = ["lag_7", "mean_28", "weekend", "price"]
A = table[columns].to_numpy(dtype=float)
A = np.c_[np.ones(len(A)), (A - A.mean(0)) / A.std(0)]
target = table["units"].to_numpy(dtype=float)
# %%
recent = table.day >= "2023-03-01"
recent.sum()
# %%
theta = np.zeros(A.shape[1])
# %%
%%track sales
rate = 0.1
for epoch in range(30):
    residual = A[~recent] @ theta - target[~recent]
    theta -= rate * A[~recent].T @ residual / len(residual)
    train_mae = np.abs(residual).mean()
    test_mae = np.abs(A[recent] @ theta - target[recent]).mean()
