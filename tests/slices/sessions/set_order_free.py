"""Sets: union in place, and a frozenset that keeps the older content."""
# kind: method mutation
# %%
s = {1, 2}
# %%
f = frozenset(s)
# %%
s |= {10}
# %%
s2 = s | {99}
# %%
s.discard(1)
# %%
for v in sorted(s):
    loss = v + len(f)
