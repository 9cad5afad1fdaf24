"""An accumulator of our own is fed in a cell of its own, and printed in another."""
# kind: method mutation
# %%
class Meter:
    def __init__(self):
        self.values = []
    def update(self, v):
        self.values.append(v)
    def avg(self):
        return sum(self.values) / len(self.values)
# %%
m = Meter()
# %%
m.update(2.0)
# %%
print(m.avg())
# %%
m.update(5.0)
# %%
import nbtrack
nbtrack.log(loss=m.avg())
