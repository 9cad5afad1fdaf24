"""A helper draws; the notebook calls it for a look."""
# kind: RNG order
# rng: yes
# %%
import numpy as np, random
def augment(x):
    if random.random() < 0.5:
        x = -x
    return x + np.random.normal(0, 0.1)
# %%
np.random.seed(0); random.seed(0)
# %%
augment(1.0)
# %%
xs = [1.0, 2.0]
# %%
for x in xs:
    loss = augment(x)
