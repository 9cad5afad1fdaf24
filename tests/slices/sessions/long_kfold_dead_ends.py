"""Cross validation; three models tried and left; the folds' object was made by a deleted cell."""
# kind: long realistic
# %% id=i
import numpy as np, warnings
warnings.filterwarnings("ignore")
from sklearn.datasets import make_classification
# %% id=d
X, y = make_classification(80, 5, random_state=2)
# %% id=s
X.shape, y.sum()
# %% id=p
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
plt.scatter(X[:, 0], X[:, 1], c=y)
plt.savefig("scatter.png")
# %% id=k deleted
from sklearn.model_selection import KFold
folds = KFold(4, shuffle=True, random_state=5)
# %% id=m1
from sklearn.tree import DecisionTreeClassifier
m1 = DecisionTreeClassifier(random_state=0)
m1.fit(X, y)
# %% id=m1s
m1.score(X, y)
# %% id=m2
from sklearn.cluster import KMeans
km = KMeans(2, n_init=1, random_state=0).fit(X)
km.inertia_
# %% id=norm
mu, sd = X.mean(0), X.std(0)
# %% id=norm2
X -= mu
# %% id=norm3
X /= sd
# %% id=look
X.std(0)
# %% id=nb
note = "try lower C next"
# %% id=lr
from sklearn.linear_model import LogisticRegression
def make(C=1.0):
    return LogisticRegression(C=C, max_iter=200)
# %% id=q
make().fit(X, y).score(X, y)
# %% id=t
for tr, te in folds.split(X):
    m = make(0.1).fit(X[tr], y[tr])
    acc = float(m.score(X[te], y[te]))
    val_loss = float(np.abs(m.predict_proba(X[te])[:, 1] - y[te]).mean())
