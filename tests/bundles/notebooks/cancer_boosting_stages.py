"""Gradient boosting on the breast cancer data, stage by stage; everything is seeded."""
# %% id=imports
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
# %% id=settings
SEED = 42
learning_rate = 0.3
max_depth = 4
# %% id=data
data = load_breast_cancer()
features = pd.DataFrame(data.data, columns=data.feature_names)
features.shape
# %% id=looks
features.corrwith(pd.Series(data.target)).abs().sort_values().tail(5)
# %% id=split
Xtr, Xva, ytr, yva = train_test_split(
    features, data.target, test_size=0.25, random_state=SEED, stratify=data.target
)
# %% id=model
gb = GradientBoostingClassifier(
    n_estimators=40, learning_rate=learning_rate, max_depth=max_depth, subsample=0.7,
    random_state=SEED,
)
gb.fit(Xtr, ytr)
# %% id=settings
SEED = 42
learning_rate = 0.1   # 0.3 was too greedy
max_depth = 2
# %% id=model
gb = GradientBoostingClassifier(
    n_estimators=40, learning_rate=learning_rate, max_depth=max_depth, subsample=0.7,
    random_state=SEED,
)
gb.fit(Xtr, ytr)
# %% id=dead
try:
    gb.predict_proba(Xva[["mean radius"]])
except ValueError as exc:
    print("no:", exc)
# %% id=train
%%track boosting
stages = zip(gb.staged_predict_proba(Xtr), gb.staged_predict_proba(Xva))
for stage, (p_train, p_val) in enumerate(stages):
    train_auc = roc_auc_score(ytr, p_train[:, 1])
    val_auc = roc_auc_score(yva, p_val[:, 1])
    val_brier = float(np.mean((p_val[:, 1] - yva) ** 2))
