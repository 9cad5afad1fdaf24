"""A branch that was not taken leaves the older value."""
# kind: conditional definitions
# %%
best = 0.9
# %%
scores = [0.2, 0.4]
# %%
for s in scores:
    if s > best:
        best = s
# %%
worst = min(scores)
# %%
for i in range(2):
    acc = best - 0.1 * i
