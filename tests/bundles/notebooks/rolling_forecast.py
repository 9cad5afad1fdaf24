"""Walk-forward forecasts of a random walk with a season: three naive methods compared."""
# %%
import pandas as pd, numpy as np
pd.set_option("display.precision", 3)
# %%
idx = pd.period_range("2015-01", periods=96, freq="M")
level = np.cumsum(np.random.randn(96)) + 50
season = 5 * np.cos(2 * np.pi * np.arange(96) / 12)
demand = pd.Series(level + season, index=idx, name="demand")
# %%
demand.groupby(demand.index.month).mean()
# %%
demand.rolling(12).mean().dropna().iloc[[0, -1]]
# %%
def last(history):
    return history.iloc[-1]

def same_month(history):
    return history.iloc[-12]

def smoothed(history, alpha=0.4):
    return history.ewm(alpha=alpha).mean().iloc[-1]
# %%
methods = [last, same_month, smoothed]
{m.__name__: m(demand) for m in methods}
# %%
errors = {m.__name__: [] for m in methods}
# %%
%%track "walk forward"
import nbtrack
for t in range(60, 96):
    history, truth = demand.iloc[:t], demand.iloc[t]
    for method in methods:
        errors[method.__name__].append(abs(method(history) - truth))
    nbtrack.log({name: float(np.mean(e)) for name, e in errors.items()}, step=t)
pd.DataFrame(errors).describe()
