# The loss of an episode is summed up from a list of its pieces.
# %% setup

import torch, torch.nn as nn
from collections import deque
torch.manual_seed(0)

class Walk:
    def reset(self):
        self.x, self.t = 0.0, 0
        return torch.tensor([self.x])
    def step(self, action):
        self.t += 1
        self.x += 0.1 if action else -0.1
        return torch.tensor([self.x]), 1.0, abs(self.x) > 0.35 or self.t > 12

env = Walk()
policy = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(dim=-1))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
gamma = 0.99
# %% track
def finish_episode(log_probs, rewards):
    R, policy_loss, returns = 0, [], deque()
    for r in rewards[::-1]:
        R = r + gamma * R
        returns.appendleft(R)
    for log_prob, R in zip(log_probs, returns):
        policy_loss.append(-log_prob * R)
    optimizer.zero_grad()
    policy_loss = torch.stack(policy_loss).sum()
    policy_loss.backward()
    optimizer.step()

running_reward, lengths = 10, []
for i_episode in range(8):
    state, ep_reward = env.reset(), 0
    log_probs, rewards = [], []
    for t in range(1, 1000):
        chances = torch.distributions.Categorical(policy(state))
        action = chances.sample()
        log_probs.append(chances.log_prob(action))
        state, reward, done = env.step(action.item())
        rewards.append(reward)
        ep_reward += reward
        if done:
            break
    running_reward = 0.05 * ep_reward + 0.95 * running_reward
    lengths.append(ep_reward)
    finish_episode(log_probs, rewards)
# %% expect
params = {"gamma": 0.99, "i_episode": 8, "optimizer": "Adam", "optimizer.lr": 1e-2}
metrics = {"ep_reward": "lengths", "running_reward": 8, "policy_loss": 8}
axes = {"ep_reward": ["i_episode"], "policy_loss": ["i_episode"]}
