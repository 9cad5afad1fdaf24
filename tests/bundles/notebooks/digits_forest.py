"""A random forest on the digits that grows by ten trees a round, without a seed."""
# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, log_loss
# %%
digits = load_digits()
digits.images.shape
# %%
print(digits.DESCR[:200])
# %%
order = np.random.permutation(len(digits.target))
n_train = 1200
train, test = order[:n_train], order[n_train:]
# %%
def evaluate(model, rows):
    proba = model.predict_proba(digits.data[rows])
    guesses = model.classes_[proba.argmax(axis=1)]
    return {
        "accuracy": accuracy_score(digits.target[rows], guesses),
        "log_loss": log_loss(digits.target[rows], proba, labels=model.classes_),
    }
# %%
forest = RandomForestClassifier(n_estimators=10, max_depth=8)
forest.fit(digits.data[train], digits.target[train])
evaluate(forest, test)
# %%
np.argsort(forest.feature_importances_)[-5:]
# %%
forest.set_params(warm_start=True)
# %%
%%track "growing forest"
import nbtrack

for n_trees in range(20, 81, 10):
    forest.set_params(n_estimators=n_trees)
    forest.fit(digits.data[train], digits.target[train])
    scores = evaluate(forest, test)
    nbtrack.log(scores, step=n_trees)
