"""Readings are standardised by a small package before a line is fitted to them."""
# %%
import numpy as np
from tinystats import standardised
# %%
hours = np.arange(80)
readings = 3 + 0.4 * hours + np.random.normal(0, 2, 80)
# %%
readings[:5]
# %%
z = standardised(readings)
t = hours / 80
# %%
slope, offset = 0.0, 0.0
# %%
%%track line
for epoch in range(20):
    residual = slope * t + offset - z
    loss = np.mean(residual ** 2)
    slope -= 0.5 * np.mean(residual * t)
    offset -= 0.5 * np.mean(residual)
