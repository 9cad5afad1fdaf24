"""Two bells under one curve: expectation and maximisation, checked against sklearn."""
# %%
import numpy as np
from scipy.stats import norm
# %%
heights = np.concatenate([np.random.normal(164, 6, 120), np.random.normal(178, 7, 100)])
np.random.shuffle(heights)
# %%
np.histogram(heights, bins=8)
# %%
means = np.random.choice(heights, 2, replace=False)
sds, weights = np.array([5.0, 5.0]), np.array([0.5, 0.5])
means
# %%
def responsibilities(x):
    dens = weights * norm.pdf(x[:, None], means, sds)
    return dens / dens.sum(1, keepdims=True), np.log(dens.sum(1)).sum()
# %%
responsibilities(heights[:3])[0]
# %%
from sklearn.mixture import GaussianMixture
GaussianMixture(2, n_init=1).fit(heights[:, None]).means_.ravel()
# %%
%%track mixture
for it in range(25):
    r, log_lik = responsibilities(heights)
    mass = r.sum(0)
    means = (r * heights[:, None]).sum(0) / mass
    sds = np.sqrt((r * (heights[:, None] - means) ** 2).sum(0) / mass)
    weights = mass / len(heights)
    nll_loss = -log_lik / len(heights)
