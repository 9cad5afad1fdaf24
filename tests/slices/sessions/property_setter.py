"""Setting a property changes a hidden third thing."""
# kind: property setters
# %%
LOG = []
class T:
    def __init__(self): self._t = 1.0
    @property
    def temp(self): return self._t
    @temp.setter
    def temp(self, v):
        LOG.append(self._t)
        self._t = v
# %%
t = T()
# %%
t.temp
# %%
t.temp = 0.5
# %%
t.temp = 0.25
# %%
for v in LOG:
    loss = v * t.temp
