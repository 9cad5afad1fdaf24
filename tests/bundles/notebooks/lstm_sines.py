"""An LSTM learns to go on with noisy sines; seeded at the top, in the usual way."""
# %%
import math
import torch
from torch import nn

torch.manual_seed(7)
# %%
n_series, length = 40, 24
phases = torch.rand(n_series, 1) * 2 * math.pi
t = torch.linspace(0, 4 * math.pi, length + 1)
waves = torch.sin(t + phases) + 0.05 * torch.randn(n_series, length + 1)
# %%
inputs, targets = waves[:, :-1, None], waves[:, 1:, None]
inputs.shape
# %%
class Forecaster(nn.Module):
    def __init__(self, hidden_size=12):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, x, state=None):
        out, state = self.lstm(x, state)
        return self.head(out), state
# %%
model = Forecaster()
prediction, (h, c) = model(inputs)
prediction.shape, h.shape
# %%
loss_fn = nn.MSELoss()
optim = torch.optim.RMSprop(model.parameters(), lr=0.01)
# %%
def rollout(start, steps):
    with torch.no_grad():
        out, state = model(start)
        last, made = out[:, -1:], []
        for _ in range(steps):
            last, state = model(last, state)
            made.append(last)
    return torch.cat(made, 1)
# %%
rollout(inputs[:2, :8], 3).squeeze()
# %%
%%track lstm
for step in range(25):
    optim.zero_grad()
    out, _ = model(inputs[:30])
    train_mse = loss_fn(out, targets[:30])
    train_mse.backward()
    grad_norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optim.step()
    with torch.no_grad():
        val_mse = loss_fn(model(inputs[30:])[0], targets[30:]).item()
