"""nonlocal in a nested function of a factory, stepped by a scheduler-like call."""
# kind: nonlocal counters
# %%
def scheduler(base):
    epoch = 0
    def step():
        nonlocal epoch
        epoch += 1
    def lr():
        return base / (1 + epoch)
    return step, lr
# %%
step, lr = scheduler(1.0)
# %%
lr()
# %%
step()
# %%
scheduler(5.0)[0]()
# %%
for _ in range(3):
    loss = lr()
    step()
