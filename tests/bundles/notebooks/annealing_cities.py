"""A round trip by simulated annealing; the cities come from a file that was there."""
# %% file=cities.csv
name,x,y
A,3,7
B,9,2
C,4,4
D,8,8
E,1,2
F,6,1
G,2,9
H,7,5
I,5,9
J,9,6
K,1,5
L,4,1
# %%
import csv, math, random
# %%
with open("cities.csv", newline="") as f:
    cities = {row["name"]: (float(row["x"]), float(row["y"])) for row in csv.DictReader(f)}
list(cities)
# %%
def length(tour):
    legs = zip(tour, tour[1:] + tour[:1])
    return sum(math.dist(cities[a], cities[b]) for a, b in legs)
# %%
tour = random.sample(list(cities), len(cities))
length(tour)
# %%
greedy, rest = ["A"], set(cities) - {"A"}
while rest:
    nearest = min(rest, key=lambda c: (math.dist(cities[c], cities[greedy[-1]]), c))
    greedy.append(nearest); rest.remove(nearest)
length(greedy)
# %%
def neighbour(tour):
    i, j = sorted(random.sample(range(len(tour)), 2))
    return tour[:i] + tour[i:j + 1][::-1] + tour[j + 1:]
# %%
T, cooling = 5.0, 0.9
# %%
%%track "round trip"
best = length(tour)
while T > 0.01:
    for _ in range(30):
        other = neighbour(tour)
        delta = length(other) - length(tour)
        if delta < 0 or random.random() < math.exp(-delta / T):
            tour = other
    best = min(best, length(tour))
    tour_loss = length(tour)
    T *= cooling
print(best, tour)
