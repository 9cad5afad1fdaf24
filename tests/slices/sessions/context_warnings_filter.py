"""simplefilter('error') turns a warning into the except branch of a helper."""
# kind: numeric context
# %%
import warnings, numpy as np
# %%
def slope(x):
    try:
        return float(np.log(np.array([x]))[0]) if x > 0 else float(np.sqrt(np.array([x]))[0])
    except RuntimeWarning:
        return 0.5
# %%
warnings.simplefilter("error")
# %%
warnings.filterwarnings("ignore", category=UserWarning)
# %%
for x in (1.0, -1.0):
    loss = slope(x)
