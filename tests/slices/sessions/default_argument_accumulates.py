"""def f(x, acc=[]) remembers every call."""
# kind: mutable default
# %%
def collect(x, seen=[]):
    seen.append(x)
    return len(seen)
# %%
collect("a")
# %%
print("hello")
# %%
collect("b")
# %%
for x in "cd":
    loss = collect(x) / 10
