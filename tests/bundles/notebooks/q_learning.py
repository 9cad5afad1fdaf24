"""Q-learning on a slippery four by four lake, the table shown as arrows."""
# %%
import numpy as np
rng = np.random.default_rng()
# %%
LAKE = ["S...", ".H.H", "...H", "H..G"]
size = len(LAKE)
moves = {0: (0, -1), 1: (1, 0), 2: (0, 1), 3: (-1, 0)}
# %%
def step(state, action, slip=0.1):
    if rng.random() < slip:
        action = int(rng.integers(4))
    r, c = divmod(state, size)
    dr, dc = moves[action]
    r, c = min(max(r + dr, 0), size - 1), min(max(c + dc, 0), size - 1)
    field = LAKE[r][c]
    return r * size + c, float(field == "G"), field in "HG"
# %%
step(0, 2), step(0, 2)
# %%
Q = np.zeros((size * size, 4))
alpha, gamma = 0.3, 0.95
# %%
def arrows():
    return "\n".join("".join("<v>^"[a] for a in row) for row in Q.argmax(1).reshape(size, size))
print(arrows())
# %%
def choose(state, epsilon):
    if rng.random() < epsilon:
        return int(rng.integers(4))
    ties = np.flatnonzero(Q[state] == Q[state].max())
    return int(rng.choice(ties))
# %%
%%track lake
wins = []
for episode in range(300):
    state, done, steps = 0, False, 0
    while not done and steps < 60:
        action = choose(state, epsilon=max(0.05, 1 - episode / 150))
        after, reward, done = step(state, action)
        aim = reward + gamma * Q[after].max() * (not done)
        Q[state, action] += alpha * (aim - Q[state, action])
        state, steps = after, steps + 1
    wins.append(reward)
    win_score = float(np.mean(wins[-50:]))
print(arrows(), win_score)
