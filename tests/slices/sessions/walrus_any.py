"""any() with a walrus stops at the first hit; the name keeps that value."""
# kind: walrus in comprehension
# %%
vals = [1, 5, 7, 2]
hit = -1
# %%
any((hit := v) > 4 for v in vals)
# %%
all((miss := v) < 100 for v in vals)
# %%
vals = vals + [miss]
# %%
import nbtrack
nbtrack.log(score=hit, loss=len(vals))
