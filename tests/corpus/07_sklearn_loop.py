# A loop over a hyper-parameter with scikit-learn.
# %% setup
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
Xd, yd = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(Xd[:400] / 16, yd[:400], random_state=0)
# %% track
scores = {}
for C in [0.01, 0.1, 1.0]:
    clf = LogisticRegression(C=C, max_iter=200)
    clf.fit(X_train, y_train)
    score = clf.score(X_test, y_test)
    scores[C] = score
best_C = max(scores, key=scores.get)
best_C
# %% expect
params = {"C": [0.01, 0.1, 1.0], "clf": "LogisticRegression", "clf.max_iter": 200}
metrics = {"score": "list(scores.values())"}
axes = {"score": ["C"]}
