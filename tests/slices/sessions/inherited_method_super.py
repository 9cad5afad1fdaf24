"""A base class method is patched; the subclass calls super()."""
# kind: class monkeypatch
# %%
class Base:
    def reg(self): return 0.0
class Sub(Base):
    def reg(self): return super().reg() + 1
# %%
s = Sub()
# %%
Base.reg = lambda self: 5.0
# %%
class Unused(Base): pass
# %%
for i in range(2):
    loss = s.reg() * (i + 1)
