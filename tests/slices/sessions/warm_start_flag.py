"""warm_start=True makes fit() depend on the earlier fit; refit without it does not."""
# kind: warm-start
# %%
import numpy as np, warnings
warnings.filterwarnings("ignore")
from sklearn.linear_model import SGDClassifier
rng = np.random.RandomState(3)
X = rng.randn(40, 3); y = (X[:, 0] > 0).astype(int)
# %%
cold = SGDClassifier(random_state=1, max_iter=2)
hot = SGDClassifier(random_state=1, max_iter=2, warm_start=True)
# %%
cold.fit(X[:10], y[:10])
# %%
hot.fit(X[:20], 1 - y[:20])
# %%
cold.score(X, y)
# %%
for k in (20, 40):
    hot.fit(X[:k], y[:k])
    acc = hot.decision_function(X[:5]).sum()
