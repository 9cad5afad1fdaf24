"""builtins.print is patched to count calls; print in any cell counts."""
# kind: shadowed builtins
# %%
import builtins
calls = []
_p = builtins.print
# %%
builtins.print = lambda *a, **k: (calls.append(len(a)), _p(*a, **k))[1]
# %%
print("one", "two")
# %%
x = 1
# %%
print("three")
# %%
builtins.print = _p
# %%
for c in calls:
    loss = c / 2
