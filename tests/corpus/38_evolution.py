# A genetic search: fitness is what counts, best so far is in its history.
# %% setup
import random
random.seed(0)

def mutated(bits, rate):
    return [1 - b if random.random() < rate else b for b in bits]
# %% track
n_generations, n_bits, n_pop = 10, 16, 20
mutation_rate = 1.0 / n_bits
population = [[random.randint(0, 1) for _ in range(n_bits)] for _ in range(n_pop)]
best_eval, fitness_history = 0, []
for gen in range(n_generations):
    scores = [sum(bits) for bits in population]
    for i in range(n_pop):
        if scores[i] > best_eval:
            best_eval = scores[i]
            print(f">{gen}, new best {best_eval}")
    fitness_history.append(best_eval)
    avg_fitness = sum(scores) / len(scores)
    ranked = sorted(population, key=sum, reverse=True)[: n_pop // 2]
    population = ranked + [mutated(bits, mutation_rate) for bits in ranked]
# %% expect
params = {"n_generations": 10, "n_bits": 16, "n_pop": 20, "mutation_rate": 0.0625}
metrics = {"fitness": "fitness_history", "avg_fitness": 10}
axes = {"fitness": ["gen"], "avg_fitness": ["gen"]}
absent = ["best_eval"]
