"""Nearest neighbours written by hand, with votes counted; k is tried from 1 on."""
# %%
from collections import Counter
import random
from sklearn.datasets import load_iris
# %%
flowers = load_iris()
points = [tuple(map(float, row)) for row in flowers.data]
pairs = list(zip(points, flowers.target_names[flowers.target]))
# %%
random.shuffle(pairs)
pairs[:2]
# %%
def distance(a, b):
    return sum((p - q) ** 2 for p, q in zip(a, b)) ** 0.5
# %%
distance(pairs[0][0], pairs[1][0])
# %%
known, asked = pairs[:100], pairs[100:]
# %%
def vote(point, k):
    near = sorted(known, key=lambda pair: distance(pair[0], point))[:k]
    return Counter(label for _, label in near).most_common(1)[0][0]
# %%
vote((5.0, 3.4, 1.5, 0.2), 3)
# %%
%%track
for k in (1, 3, 5, 9, 15, 25):
    hits = sum(vote(point, k) == label for point, label in asked)
    accuracy = hits / len(asked)
    error = 1 - accuracy
