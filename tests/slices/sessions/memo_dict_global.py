"""A hand-written memo: filled while the setting was another."""
# kind: lru_cache
# %%
memo = {}
alpha = 0.5
# %%
def h(n):
    if n not in memo:
        memo[n] = alpha * n
    return memo[n]
# %%
h(4)
# %%
alpha = 2
# %%
h(7)
# %%
for n in [3, 4]:
    loss = h(n)
