"""A loop over files breaks at a bad one, after two results were kept."""
# kind: raising cell
# %%
results = []
raw = ["1.5", "2.5", "oops", "4.5"]
# %%
for r in raw:
    results.append(float(r))
# %%
len(results)
# %%
for v in results:
    loss = v
