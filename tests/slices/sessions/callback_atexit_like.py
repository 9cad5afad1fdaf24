"""sys.settrace-free observers: a traitlets observer changes another object."""
# kind: callbacks
# %%
import traitlets
class P(traitlets.HasTraits):
    x = traitlets.Float(1.0)
p = P(); seen = []
# %%
p.observe(lambda ch: seen.append(ch["new"]), "x")
# %%
p.x = 2.0
# %%
q = P(); q.x = 7.0
# %%
p.x = 3.5
# %%
for s in seen:
    loss = s / 2
