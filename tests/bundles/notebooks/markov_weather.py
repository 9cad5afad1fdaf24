"""A Markov chain of the weather: simulated, estimated again, and its limit computed."""
# %%
import numpy as np
states = ["sun", "cloud", "rain"]
P = np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.2, 0.3, 0.5]])
P.sum(axis=1)
# %%
values, vectors = np.linalg.eig(P.T)
limit = np.real(vectors[:, np.argmax(np.real(values))])
limit = limit / limit.sum()
dict(zip(states, limit.round(3)))
# %%
def walk(n, start=0):
    path = [start]
    for _ in range(n - 1):
        path.append(np.random.choice(3, p=P[path[-1]]))
    return np.array(path)
# %%
[states[i] for i in walk(8)]
# %%
counts = np.zeros((3, 3))
# %%
def count(path):
    c = np.zeros((3, 3))
    np.add.at(c, (path[:-1], path[1:]), 1)
    return c

count(walk(50))
# %%
%%track chain
today = 0
for week in range(40):
    path = walk(28, start=today)
    today = path[-1]
    counts += count(path)
    estimate = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    l1_error = np.abs(estimate - P).sum()
    share = counts.sum(axis=1) / counts.sum()
    limit_error = np.abs(share - limit).max()
