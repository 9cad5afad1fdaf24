"""Where to cut: costs come from a JSON file that was there, a helper is corrected."""
# %% file=costs.json
{"false_negative": 12.0, "false_positive": 1.0, "thresholds": [0.1, 0.2, 0.3, 0.5, 0.7]}
# %% id=a
import json
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler
# %% id=b
with open("costs.json") as f:
    costs = json.load(f)
costs
# %% id=c
X, y = load_breast_cancer(return_X_y=True)
is_sick = (y == 0).astype(int)
picked = np.random.rand(len(X)) < 0.6
# %% id=d
pipe = Pipeline([("scale", RobustScaler()), ("model", LogisticRegression(C=0.05))])
pipe.fit(X[picked], is_sick[picked])
risk = pipe.predict_proba(X[~picked])[:, 1]
# %% id=e
def cost(threshold):
    alarm = risk > threshold
    missed = (~alarm & (is_sick[~picked] == 1)).sum()
    return costs["false_negative"] * missed
# %% id=f
cost(0.5)
# %% id=e
def cost(threshold):
    """Per patient, with false alarms too."""
    alarm, truth = risk > threshold, is_sick[~picked] == 1
    missed, needless = (~alarm & truth).sum(), (alarm & ~truth).sum()
    total = costs["false_negative"] * missed + costs["false_positive"] * needless
    return total / len(truth)
# %% id=f
cost(0.5)
# %% id=g
%%track thresholds
for threshold in costs["thresholds"]:
    mean_loss = cost(threshold)
    recall_score = float((risk[is_sick[~picked] == 1] > threshold).mean())
