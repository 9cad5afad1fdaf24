"""getcontext().prec is set in a cell of its own."""
# kind: numeric context
# %%
from decimal import Decimal, getcontext
# %%
getcontext().prec = 4
# %%
one = Decimal(1)
# %%
getcontext().Emax
# %%
for k in (3, 7):
    loss = float(one / k)
