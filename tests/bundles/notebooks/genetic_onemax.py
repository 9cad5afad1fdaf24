"""Evolution of bit strings by hand; selection was tried two ways, the later one stays."""
# %% id=i
import random
from functools import reduce
# %% id=c
settings = {"n_bits": 40, "n_people": 30, "mutation": 0.02, "elite": 2}
# %% id=p
def person():
    return [random.randint(0, 1) for _ in range(settings["n_bits"])]

people = [person() for _ in range(settings["n_people"])]
# %% id=f
def fitness(bits):
    runs = reduce(lambda acc, b: (acc[0] + acc[1] * b, acc[1] + 1 if b else 1), bits, (0, 1))
    return runs[0]

max(map(fitness, people))
# %% id=s
def select(people):
    return random.choice(people)            # no pressure at all
# %% id=x
def child(a, b):
    cut = random.randrange(1, len(a))
    bits = a[:cut] + b[cut:]
    return [1 - g if random.random() < settings["mutation"] else g for g in bits]
# %% id=t
child(select(people), select(people))[:10]
# %% id=s
def select(people, k=3):
    return max(random.sample(people, k), key=fitness)
# %% id=e
settings["elite"] = 1
# %% id=run
%%track evolution
import nbtrack
for generation in range(25):
    ranked = sorted(people, key=fitness, reverse=True)
    people = ranked[:settings["elite"]]
    while len(people) < settings["n_people"]:
        people.append(child(select(ranked), select(ranked)))
    scores = [fitness(p) for p in people]
    nbtrack.log(best=max(scores), mean=sum(scores) / len(scores), step=generation)
