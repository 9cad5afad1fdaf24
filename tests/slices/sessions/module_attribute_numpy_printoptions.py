"""np.set_printoptions is looks only; pd.options changes what a computation gives."""
# kind: module attribute
# %%
import numpy as np
import pandas as pd
# %%
np.set_printoptions(precision=2)
# %%
pd.set_option("display.precision", 1)
# %%
s = pd.Series([1.23456, 2.34567])
# %%
text = s.to_string()
# %%
for line in text.splitlines():
    loss = float(line.split()[1])
