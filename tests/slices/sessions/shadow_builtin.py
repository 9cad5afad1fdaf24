"""max is a number now; a helper that needs it was made to cope."""
# kind: shadowed builtins
# %%
def peak(xs):
    return max(xs) if callable(max) else max
# %%
peak([1, 2])
# %%
max = 0.75
# %%
list_ = [1]
# %%
for xs in ([1], [2, 3]):
    loss = peak(xs) * len(xs)
