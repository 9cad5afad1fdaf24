# EM until the log-likelihood, called ll, stands still.
# %% setup
import numpy as np
rng = np.random.RandomState(0)
data = np.concatenate([rng.normal(-2, 1, 60), rng.normal(3, 0.7, 40)])

def density(x, mu, sigma):
    return np.exp(-0.5 * ((x - mu) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
# %% track
n_components, tol = 2, 1e-4
pi, mu, sigma = np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([1.0, 1.0])
ll_old, lls, step = -np.inf, [], 0
while True:
    # E-step
    weighted = np.stack([pi[k] * density(data, mu[k], sigma[k]) for k in range(n_components)])
    r = weighted / weighted.sum(axis=0)
    # M-step
    nk = r.sum(axis=1)
    pi, mu = nk / len(data), (r * data).sum(axis=1) / nk
    sigma = np.sqrt((r * (data - mu[:, None]) ** 2).sum(axis=1) / nk)
    ll = np.log(weighted.sum(axis=0)).sum()
    lls.append(ll)
    if ll - ll_old < tol:
        break
    ll_old = ll
    step += 1
# %% expect
params = {"n_components": 2, "tol": 1e-4}
metrics = {"ll": "lls"}
axes = {"ll": []}
absent = ["ll_old"]
