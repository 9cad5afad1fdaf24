"""__getattr__ makes attributes on first look, with a counter."""
# kind: descriptors
# %%
class Lazy:
    def __init__(self): self.made = 0
    def __getattr__(self, name):
        self.made += 1
        v = self.made * 10
        setattr(self, name, v)
        return v
# %%
z = Lazy()
# %%
z.first
# %%
q = Lazy().anything
# %%
for n in ("second", "first"):
    loss = getattr(z, n)
