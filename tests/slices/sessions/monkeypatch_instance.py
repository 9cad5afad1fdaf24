"""A bound method is put on the instance, shadowing the class's."""
# kind: class monkeypatch
# %%
import types
class Sampler:
    def draw(self): return 1
s = Sampler()
r = Sampler()
# %%
r.draw = lambda: -1
# %%
s.draw = types.MethodType(lambda self: 42, s)
# %%
s.draw()
# %%
for _ in range(2):
    reward = s.draw()
