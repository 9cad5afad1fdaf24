"""pd.set_option('mode.use_inf_as_na') is gone; compute.use_numexpr and display do not matter, but the float format does here."""
# kind: numeric context
# %%
import pandas as pd
df = pd.DataFrame({"v": [0.123456789, 9.87654321]})
# %%
pd.options.display.float_format = "{:.2f}".format
# %%
pd.options.display.max_rows = 7
# %%
s = df["v"].to_string(index=False)
# %%
pd.reset_option("display.float_format")
# %%
for part in s.split():
    loss = float(part)
