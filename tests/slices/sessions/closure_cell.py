"""A counter lives in a closure; calling it elsewhere moves it on."""
# kind: closure cell
# %%
def make():
    n = 0
    def nxt():
        nonlocal n
        n += 1
        return n
    return nxt
# %%
tick = make()
# %%
tock = make()
# %%
tick(); tick()
# %%
tock()
# %%
for _ in range(2):
    loss = tick() * 1.5
