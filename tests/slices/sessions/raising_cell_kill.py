"""A raising cell rebinds a name first, so the older value is really gone."""
# kind: raising cell
# %%
thr = 0.9
# %%
thr = 0.2
assert thr > 0.5, "too low"
# %%
vals = [0.1, 0.3, 0.95]
# %%
for v in vals:
    acc = float(v > thr)
