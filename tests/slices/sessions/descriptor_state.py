"""A descriptor keeps values by instance in a dict of its own."""
# kind: descriptors
# %%
class Field:
    def __init__(self): self.kept = {}
    def __get__(self, o, owner): return self if o is None else self.kept.get(id(o), 0)
    def __set__(self, o, v): self.kept[id(o)] = v * 2
class Row:
    n = Field()
# %%
r = Row(); s = Row()
# %%
s.n = 50
# %%
r.n = 4
# %%
s.n
# %%
for k in (1, 2):
    loss = r.n / k
