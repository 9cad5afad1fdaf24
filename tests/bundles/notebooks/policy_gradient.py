"""REINFORCE on a corridor of seven fields; rewards are noisy and so is the policy."""
# %%
import torch
from torch.distributions import Categorical
# %%
class Corridor:
    def __init__(self, n=7):
        self.n = n
    def reset(self):
        self.at = self.n // 2
        return self.at
    def step(self, action):
        self.at += 1 if action else -1
        done = self.at in (0, self.n - 1)
        reward = (1.0 if self.at == self.n - 1 else -1.0) if done else -0.05
        return self.at, reward, done
# %%
env = Corridor()
env.reset(), env.step(1)
# %%
logits = torch.zeros(env.n, 2, requires_grad=True)
# %%
def episode():
    state, log_probs, rewards, done = env.reset(), [], [], False
    while not done and len(rewards) < 40:
        choice = Categorical(logits=logits[state])
        action = choice.sample()
        log_probs.append(choice.log_prob(action))
        state, reward, done = env.step(action.item())
        rewards.append(reward)
    return torch.stack(log_probs), rewards
# %%
episode()[1]
# %%
gamma, baseline = 0.95, 0.0
adam = torch.optim.Adam([logits], lr=0.1)
# %%
%%track reinforce
for n in range(60):
    log_probs, rewards = episode()
    returns, total = [], 0.0
    for r in reversed(rewards):
        total = r + gamma * total
        returns.insert(0, total)
    advantage = torch.tensor(returns) - baseline
    policy_loss = -(log_probs * advantage).sum()
    adam.zero_grad()
    policy_loss.backward()
    adam.step()
    baseline = 0.9 * baseline + 0.1 * returns[0]
    total_reward = sum(rewards)
