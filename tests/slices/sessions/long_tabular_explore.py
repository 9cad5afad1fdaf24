"""An afternoon on a table: looks, plots, two dead ends, a scaler fit twice, one fix in place."""
# kind: long realistic
# %%
import numpy as np
import pandas as pd
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
# %%
rs = np.random.RandomState(0)
n = 60
df = pd.DataFrame({
    "age": rs.randint(18, 80, n).astype(float),
    "income": rs.lognormal(10, 0.5, n),
    "city": rs.choice(["A", "B", "C"], n),
})
df["target"] = (0.03 * df.age + 0.00001 * df.income + rs.normal(0, 0.3, n) > 1.8).astype(int)
# %%
df.head()
# %%
df.describe()
# %%
df["city"].value_counts()
# %%
fig, ax = plt.subplots()
ax.hist(df.age)
ax.set_title("age");
# %%
df.loc[df.age < 20, "age"] = 20.0
# %%
corr = df[["age", "income", "target"]].corr()
print(corr)
# %%
plt.figure()
plt.imshow(corr); plt.colorbar()
# %%
df["log_income"] = np.log(df["income"])
# %%
X = df[["age", "income"]].to_numpy()      # first try: without the log
# %%
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler()
Xs = scaler.fit_transform(X)
# %%
from sklearn.tree import DecisionTreeClassifier
tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(Xs, df.target)
tree.score(Xs, df.target)
# %%
features = ["age", "log_income"]
X = df[features].to_numpy()
y = df["target"].to_numpy()
# %%
Xs = scaler.fit_transform(X)
scaler.mean_
# %%
def accuracy(model, X, y):
    return float((model.predict(X) == y).mean())
# %%
accuracy(tree, Xs, y)
# %%
from sklearn.linear_model import LogisticRegression
# %%
for C in (0.01, 1.0, 100.0):
    clf = LogisticRegression(C=C).fit(Xs[:40], y[:40])
    val_acc = accuracy(clf, Xs[40:], y[40:])
    coef_score = float(clf.coef_.sum())
