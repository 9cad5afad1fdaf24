"""default_rng() without a seed, handed to a class."""
# kind: RNG order
# rng: yes
# %%
import numpy as np
gen = np.random.default_rng()
# %%
class Walk:
    def __init__(self, g): self.g, self.x = g, 0.0
    def step(self):
        self.x += self.g.normal()
        return self.x
# %%
walk = Walk(gen)
# %%
gen.random(2)
# %%
walk.step()
# %%
for _ in range(3):
    loss = walk.step()
