"""fit() of a pipeline fits the scaler object that was given to it by name."""
# kind: sklearn pipelines
# %%
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import Ridge
X = np.arange(10.).reshape(5, 2); y = np.arange(5.)
# %%
sc = StandardScaler()
pipe = make_pipeline(sc, Ridge())
# %%
pipe.fit(X, y)
# %%
pipe.score(X, y)
# %%
other = StandardScaler().fit(X * 100)
# %%
for m in sc.mean_:
    loss = float(m)
