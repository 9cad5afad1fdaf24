"""Callbacks are appended to a trainer; one of them changes the schedule."""
# kind: callbacks
# %%
class Trainer:
    def __init__(self): self.callbacks, self.lr = [], 1.0
    def fit(self, n):
        for i in range(n):
            for cb in self.callbacks: cb(self, i)
            yield self.lr
# %%
tr = Trainer()
# %%
def decay(t, i): t.lr *= 0.5
def quiet(t, i): pass
# %%
tr.callbacks.append(decay)
# %%
list(tr.fit(1))
# %%
for lr in tr.fit(3):
    loss = lr ** 2
