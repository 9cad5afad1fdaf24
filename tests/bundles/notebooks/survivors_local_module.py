"""Passengers of a ship: the cleaning lives in a module beside the notebook."""
# %% file=cleaning.py
"""What every notebook of this project does first."""
import pandas as pd

AGE_BANDS = [0, 12, 25, 45, 100]


def tidy(frame):
    frame = frame.copy()
    frame["age"] = frame["age"].fillna(frame["age"].median())
    frame["band"] = pd.cut(frame["age"], AGE_BANDS, labels=False)
    return frame


def one_hot(frame, columns):
    return pd.get_dummies(frame, columns=columns, dtype=float)
# %%
%load_ext autoreload
%autoreload 2
import numpy as np, pandas as pd
from cleaning import tidy, one_hot
# %%
n = 400
ship = pd.DataFrame({
    "age": np.where(np.random.rand(n) < 0.15, np.nan, np.random.gamma(6, 5, n)),
    "deck": np.random.choice(list("ABC"), n, p=[0.2, 0.3, 0.5]),
    "fare": np.random.lognormal(3, 0.8, n),
})
# %%
chance = 0.25 + 0.4 * (ship.deck == "A") + 0.2 * (ship.age.fillna(30) < 12)
ship["survived"] = (np.random.rand(n) < chance).astype(int)
ship.survived.mean()
# %%
ship.groupby("deck").survived.mean()
# %%
ready = one_hot(tidy(ship), ["deck", "band"])
ready.columns.tolist()
# %%
ready["fare"] = np.log(ready["fare"])
X = ready.drop(columns="survived").to_numpy(float)
y = ready["survived"].to_numpy()
# %%
from sklearn.tree import DecisionTreeClassifier, export_text
tree = DecisionTreeClassifier(max_depth=2).fit(X, y)
print(export_text(tree))
# %%
%%track "depth of trees"
for depth in range(1, 9):
    tree = DecisionTreeClassifier(max_depth=depth, splitter="random").fit(X[:300], y[:300])
    train_acc = tree.score(X[:300], y[:300])
    val_acc = tree.score(X[300:], y[300:])
