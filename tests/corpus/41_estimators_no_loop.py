# The shortest scikit-learn cell: no loop, two numbers at the end.
# %% setup
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
X, y = make_classification(n_samples=120, random_state=0)
# %% track
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)
clf = RandomForestClassifier(n_estimators=5, max_depth=3, random_state=0)
clf.fit(X_train, y_train)
y_pred = clf.predict(X_test)
test_acc = accuracy_score(y_test, y_pred)
print(f"train accuracy: {clf.score(X_train, y_train):.3f}")
print("f1:", round(f1_score(y_test, y_pred), 3))
# %% expect
params = {"clf": "RandomForestClassifier", "clf.n_estimators": 5, "clf.max_depth": 3, "train_test_split.test_size": 0.25}
metrics = {"test_acc": "[test_acc]", "train_accuracy": "[clf.score(X_train, y_train)]", "f1": 1}
axes = {}
