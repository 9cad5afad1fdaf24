"""__iadd__ and __getitem__ of our own class: a look with [] has a side effect."""
# kind: property setters
# %%
class Acc:
    def __init__(self): self.t, self.looks = 0, 0
    def __iadd__(self, v): self.t += v; return self
    def __getitem__(self, k): self.looks += 1; return self.t
# %%
a = Acc(); b = a
# %%
a += 5
# %%
b[0]
# %%
c = Acc(); c += 3
# %%
for i in range(2):
    loss = b[0] + b.looks
