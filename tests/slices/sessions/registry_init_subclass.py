"""__init_subclass__ and __subclasses__(): a class counts by being defined."""
# kind: metaclass registry
# %%
class Base: w = 1
# %%
class One(Base): w = 3
# %%
tmp = [c.__name__ for c in Base.__subclasses__()]
# %%
class Two(Base): w = 4
# %%
for c in Base.__subclasses__():
    loss = c.w / 2
