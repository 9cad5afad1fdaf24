"""Orders and customers, two CSV files that were there, merged into a churn model."""
# %% file=data/customers.csv
id,joined,plan
1,2021-02-01,basic
2,2021-02-14,plus
3,2021-03-03,basic
4,2021-03-20,plus
5,2021-04-11,basic
6,2021-05-05,basic
7,2021-06-01,plus
8,2021-06-30,basic
9,2021-07-15,plus
10,2021-08-08,basic
11,2021-09-01,plus
12,2021-09-19,basic
# %% file=data/orders.csv
customer,amount,late
1,30.0,0
1,22.5,1
2,80.0,0
2,75.0,0
2,12.0,0
3,9.5,1
4,60.0,0
4,44.0,0
5,15.0,1
5,11.0,1
6,27.0,0
7,90.0,0
8,8.0,1
9,55.0,0
9,41.0,1
10,13.0,1
11,70.0,0
12,19.0,0
# %%
import pandas as pd
import numpy as np
# %%
customers = pd.read_csv("data/customers.csv", parse_dates=["joined"])
orders = pd.read_csv("data/orders.csv")
len(customers), len(orders)
# %%
orders.describe()
# %%
spent = orders.groupby("customer").agg(total=("amount", "sum"), n=("amount", "size"), late=("late", "mean"))
spent.head(3)
# %%
people = customers.merge(spent, left_on="id", right_index=True, how="left").fillna(0)
people["is_plus"] = (people.plan == "plus").astype(int)
people["days"] = (pd.Timestamp("2022-01-01") - people.joined).dt.days
# %%
people[["total", "days"]].corr()
# %%
left = (people.late > 0.5).astype(float).to_numpy()
X = people[["total", "n", "is_plus", "days"]].to_numpy(float)
X = (X - X.mean(0)) / X.std(0)
# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
# %%
w, b = np.random.normal(0, 0.1, X.shape[1]), 0.0
# %%
%%track churn
lr = 0.5
for step in range(40):
    p = sigmoid(X @ w + b)
    loss = -np.mean(left * np.log(p) + (1 - left) * np.log(1 - p))
    w -= lr * X.T @ (p - left) / len(left)
    b -= lr * np.mean(p - left)
    if step % 10 == 0:
        print(step, loss)
accuracy = ((p > 0.5) == left).mean()
