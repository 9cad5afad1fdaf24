"""try/except in a loop with partial effects; the except branch changes state."""
# kind: exceptions in loops
# %%
bad = []
table = {"a": 1.0, "c": 3.0}
# %%
def lookup(k):
    try:
        return table[k]
    except KeyError:
        bad.append(k)
        return 0.0
# %%
lookup("b")
# %%
lookup("a")
# %%
for k in "abc":
    loss = lookup(k) + len(bad)
