# A small reinforcement learning loop with rewards.
# %% setup
import random
random.seed(1)
probabilities = [0.2, 0.5, 0.8]
# %% track
epsilon = 0.1
n_steps = 200
counts = [0] * 3
q = [0.0] * 3
rewards = []
for t in range(n_steps):
    arm = random.randrange(3) if random.random() < epsilon else q.index(max(q))
    reward = 1.0 if random.random() < probabilities[arm] else 0.0
    counts[arm] += 1
    q[arm] += (reward - q[arm]) / counts[arm]
    rewards.append(reward)
sum(rewards) / n_steps
# %% expect
params = {"epsilon": 0.1, "n_steps": 200}
metrics = {"reward": 200}
axes = {"reward": ["t"]}
lenient = ["reward"]
