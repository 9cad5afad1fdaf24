"""partial_fit goes on from where it was."""
# kind: warm-start
# %%
import numpy as np
from sklearn.linear_model import SGDRegressor
X = np.arange(8.).reshape(-1, 1) / 8; y = 3 * X.ravel()
# %%
m = SGDRegressor(random_state=0, learning_rate="constant", eta0=0.1)
# %%
m.partial_fit(X, y)
# %%
m.predict(X[:2])
# %%
m.partial_fit(X[:4], y[:4])
# %%
for i in range(3):
    m.partial_fit(X, y)
    mse = float(((m.predict(X) - y) ** 2).mean())
