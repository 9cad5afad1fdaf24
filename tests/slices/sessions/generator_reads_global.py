"""A generator's body reads a global at each step, not when it is made."""
# kind: generator position
# %%
gain = 1
def signal():
    t = 0
    while True:
        yield gain * t
        t += 1
# %%
sig = signal()
# %%
next(sig), next(sig)
# %%
gain = 10
# %%
for _ in range(2):
    loss = next(sig)
