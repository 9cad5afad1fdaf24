"""Online learning: an SGD classifier sees the wines again and again, in new orders."""
# %%
import numpy as np
from sklearn.datasets import load_wine
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import StandardScaler
# %%
rng = np.random.default_rng()
# %%
wine = load_wine()
X = StandardScaler().fit_transform(wine.data)
y = wine.target
# %%
mask = rng.random(len(y)) < 0.75
mask.sum()
# %%
learner = SGDClassifier(loss="log_loss", alpha=1e-3, learning_rate="optimal")
# %%
batch_size = 16
def batches(rows):
    rows = rng.permutation(rows)
    for start in range(0, len(rows), batch_size):
        yield rows[start:start + batch_size]
# %%
next(batches(np.flatnonzero(mask)))
# %%
%%track online
import nbtrack

train_rows, test_rows = np.flatnonzero(mask), np.flatnonzero(~mask)
for epoch in range(8):
    for rows in batches(train_rows):
        learner.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    nbtrack.log(
        train=learner.score(X[train_rows], y[train_rows]),
        test=learner.score(X[test_rows], y[test_rows]),
        weight_norm=float(np.linalg.norm(learner.coef_)),
    )
