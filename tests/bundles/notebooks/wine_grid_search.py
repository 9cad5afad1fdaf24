"""A pipeline on the wines, a grid by hand; scikit-learn's own search was a detour."""
# %%
from itertools import product
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
# %%
X, y = load_wine(return_X_y=True)
np.bincount(y)
# %%
pipe = make_pipeline(StandardScaler(), SVC())
pipe
# %%
cross_val_score(SVC(), X, y).mean()   # without scaling: bad
# %%
folds = StratifiedKFold(n_splits=4, shuffle=True)
# %%
search = GridSearchCV(pipe, {"svc__C": [0.1, 10]}, cv=folds)
search.fit(X, y)
search.best_params_
# %%
grid = {"C": [0.05, 0.5, 5.0], "gamma": [0.001, 0.01, 0.1]}
# %%
%%track
best_score = 0.0
for C, gamma in product(grid["C"], grid["gamma"]):
    pipe.set_params(svc__C=C, svc__gamma=gamma)
    score = cross_val_score(pipe, X, y, cv=folds).mean()
    best_score = max(best_score, score)
print("best", best_score)
