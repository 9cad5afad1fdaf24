"""A class attribute changed through an instance's type; instances share it."""
# kind: class attributes
# %%
class Layer:
    count = 0
    sizes = []
    def __init__(self, n):
        type(self).count += 1
        self.sizes.append(n)
# %%
a = Layer(3)
# %%
b = [Layer(4)]
# %%
x = 5
# %%
for s in Layer.sizes:
    loss = s * Layer.count
