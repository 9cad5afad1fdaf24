"""No seed at all: random.random() as the process gave it."""
# kind: RNG order
# rng: yes
# %%
import random
# %%
w = random.gauss(0, 1)
# %%
_ = [random.random() for _ in range(3)]
# %%
for i in range(3):
    loss = w + random.random()
