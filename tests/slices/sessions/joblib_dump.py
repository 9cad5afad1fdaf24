"""joblib.dump of a fitted model, load in the run."""
# kind: pickle
# %%
import joblib, numpy as np
from sklearn.linear_model import LinearRegression
X = np.arange(4.).reshape(-1, 1)
# %%
lr = LinearRegression().fit(X, X.ravel() * 3 + 1)
# %%
joblib.dump(lr, "model.joblib")
# %%
lr.fit(X, X.ravel() * 0)
# %%
m = joblib.load("model.joblib")
for p in m.predict(X[:2]):
    loss = round(float(p), 9)
