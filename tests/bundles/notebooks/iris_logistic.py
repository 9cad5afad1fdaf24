"""Iris by the book: look at it, split it at random, try how much to regularise."""
# %%
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
# %%
iris = load_iris(as_frame=True)
df = iris.frame
df.head()
# %%
df.describe()
# %%
df.groupby("target").mean()
# %%
plt.scatter(df["petal length (cm)"], df["petal width (cm)"], c=df["target"])
plt.xlabel("petal length"); plt.ylabel("petal width")
plt.show()
# %%
X = df[iris.feature_names].values
y = df["target"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3)
X_train.shape, X_test.shape
# %%
clf = LogisticRegression(max_iter=500)
clf.fit(X_train, y_train)
print("first try:", clf.score(X_test, y_test))
# %%
pd.crosstab(y_test, clf.predict(X_test))
# %%
%%track
for C in [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]:
    clf = LogisticRegression(C=C, max_iter=500)
    clf.fit(X_train, y_train)
    train_acc = clf.score(X_train, y_train)
    test_acc = clf.score(X_test, y_test)
    print(f"C={C}: train {train_acc:.3f}, test {test_acc:.3f}")
