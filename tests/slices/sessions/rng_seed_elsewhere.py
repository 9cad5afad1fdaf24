"""The seed stands in the first cell; a jitter cell draws in between."""
# kind: RNG order
# rng: yes
# %%
import random
random.seed(7)
# %%
jitter = [random.random() for _ in range(5)]
# %%
print("hi")
# %%
for i in range(3):
    loss = random.random()
