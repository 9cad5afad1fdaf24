"""How sure is a median? Bootstrap intervals that get narrower as the sample grows."""
# %%
from statistics import median
import numpy as np
# %%
incomes = np.random.lognormal(mean=7.6, sigma=0.55, size=900)
incomes[:5].round()
# %%
np.mean(incomes), np.median(incomes)
# %%
def resample(sample, n_times=300):
    rows = np.random.randint(0, len(sample), size=(n_times, len(sample)))
    return np.median(sample[rows], axis=1)
# %%
%time medians = resample(incomes)
np.percentile(medians, [2.5, 97.5])
# %%
median(incomes) == np.median(incomes)
# %%
n_sizes = [20, 50, 100, 200, 400, 800]
# %%
%%track bootstrap
import nbtrack
truth = float(np.exp(7.6))
for n in n_sizes:
    medians = resample(incomes[:n])
    low, high = np.percentile(medians, [2.5, 97.5])
    nbtrack.log({"width": high - low, "covers": float(low <= truth <= high)}, step=n)
    nbtrack.log(standard_error=medians.std(), step=n)
