"""__enter__ is called by hand and the manager never left (an ExitStack)."""
# kind: context managers
# %%
import contextlib, decimal
stack = contextlib.ExitStack()
# %%
stack.enter_context(decimal.localcontext(decimal.Context(prec=3)))
# %%
k = decimal.Decimal(2)
# %%
print("ok")
# %%
for d in (3, 7):
    loss = float(k / d)
