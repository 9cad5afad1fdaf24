"""Which regressor is quick and good? Seconds are logged beside the scores."""
# %%
import time
import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import HuberRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVR
# %%
x = np.random.uniform(0, 10, 300)
y = np.log1p(x) + 0.2 * np.random.randn(300)
y[np.random.randint(0, 300, 10)] += 3     # a few outliers
# %%
order = np.argsort(x)
np.c_[x, y][order][:4]
# %%
zoo = {
    "isotonic": IsotonicRegression(out_of_bounds="clip"),
    "huber": HuberRegressor(),
    "neighbours": KNeighborsRegressor(9),
    "svr": SVR(C=2.0),
}
# %%
shape = lambda name, v: v if name == "isotonic" else v[:, None]
# %%
grid = np.linspace(0, 10, 200)
zoo["huber"].fit(x[:, None], y).coef_
# %%
%%track regressors
import nbtrack
for step, (name, model) in enumerate(zoo.items()):
    began = time.perf_counter()
    model.fit(shape(name, x), y)
    curve = model.predict(shape(name, grid))
    mae = float(np.abs(curve - np.log1p(grid)).mean())
    nbtrack.log(mae=mae, elapsed_seconds=time.perf_counter() - began, step=step)
