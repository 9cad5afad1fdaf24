"""random.shuffle of a list: the order is a draw, and a change in place."""
# kind: RNG order
# rng: yes
# %%
import random
deck = list(range(8))
random.seed(5)
# %%
random.random()
# %%
random.shuffle(deck)
# %%
random.choice(deck)
# %%
for c in deck[:3]:
    loss = c / 2
