# scikit-learn's partial_fit with train and test accuracy per epoch.
# %% setup
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, f1_score
Xd, yd = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = Xd[:300] / 16, Xd[300:500] / 16, yd[:300], yd[300:500]
# %% track
clf = SGDClassifier(loss="log_loss", alpha=1e-4, random_state=0)
train_accs, test_accs, f1s = [], [], []
for epoch in range(5):
    clf.partial_fit(Xtr, ytr, classes=np.arange(10))
    train_accs.append(accuracy_score(ytr, clf.predict(Xtr)))
    test_accs.append(accuracy_score(yte, clf.predict(Xte)))
    f1s.append(f1_score(yte, clf.predict(Xte), average="macro"))
# %% expect
params = {"clf": "SGDClassifier", "clf.loss": "log_loss", "clf.alpha": 1e-4, "epoch": 5}
metrics = {"train_acc": "train_accs", "test_acc": "test_accs", "f1": "f1s"}
axes = {"train_acc": ["epoch"]}
