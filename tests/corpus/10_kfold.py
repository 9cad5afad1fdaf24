# k-fold cross validation, a score per fold.
# %% setup
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import KFold
Xd, yd = load_digits(return_X_y=True)
Xd, yd = Xd[:300], yd[:300]
# %% track
n_splits = 4
kf = KFold(n_splits=n_splits, shuffle=True, random_state=0)
accs = []
for fold, (train_idx, test_idx) in enumerate(kf.split(Xd)):
    rf = RandomForestClassifier(n_estimators=20, max_depth=5, random_state=0)
    rf.fit(Xd[train_idx], yd[train_idx])
    acc = rf.score(Xd[test_idx], yd[test_idx])
    accs.append(acc)
    print(f"fold {fold}: {acc:.3f}")
np.mean(accs)
# %% expect
params = {"n_splits": 4, "rf": "RandomForestClassifier", "rf.n_estimators": 20, "rf.max_depth": 5}
metrics = {"acc": "accs"}
axes = {"acc": ["fold"]}
