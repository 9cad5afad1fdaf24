"""Ridge against lasso on the diabetes data over shuffled folds; nobody set a seed."""
# %%
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, Ridge
from sklearn.model_selection import KFold
# %%
X, y = load_diabetes(return_X_y=True)
y = (y - y.mean()) / y.std()
# %%
X[:2]
# %%
kfold = KFold(n_splits=5, shuffle=True)
splits = list(kfold.split(X))
[len(test) for _, test in splits]
# %%
def rmse(model, rows):
    return float(np.sqrt(np.mean((model.predict(X[rows]) - y[rows]) ** 2)))
# %%
candidates = {"ridge": Ridge(alpha=0.1), "lasso": Lasso(alpha=0.01)}
# %%
baseline = np.sqrt(np.mean((y - y.mean()) ** 2))
baseline
# %%
%%track folds
import nbtrack

for fold, (train, test) in enumerate(splits):
    for name, model in candidates.items():
        model.fit(X[train], y[train])
        nbtrack.log({f"{name}/rmse": rmse(model, test)}, step=fold)
    gap = rmse(candidates["ridge"], test) - rmse(candidates["lasso"], test)
    nbtrack.log(gap=gap, step=fold)
