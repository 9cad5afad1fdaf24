"""A method of a class is replaced after the object was made."""
# kind: class monkeypatch
# %%
class Net:
    def forward(self, x): return x
    def __call__(self, x): return self.forward(x)
# %%
net = Net()
# %%
old = Net.forward
# %%
def better(self, x):
    return 2 * x + 1
# %%
Net.forward = better
# %%
net(3)
# %%
for x in range(3):
    loss = net(x)
