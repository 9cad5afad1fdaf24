"""set_params on a step by its double-underscore name; clone() forgets the fit."""
# kind: sklearn pipelines
# %%
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import Ridge
X = np.arange(12.).reshape(6, 2) ** 2; y = np.arange(6.)
pipe = Pipeline([("s", StandardScaler()), ("r", Ridge())])
# %%
pipe.set_params(r__alpha=10.0)
# %%
fresh = clone(pipe)
# %%
fresh.set_params(s__with_mean=False)
# %%
pipe.fit(X, y)
# %%
for p in pipe.predict(X[:3]):
    mse = float(p)
