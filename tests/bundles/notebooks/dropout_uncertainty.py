"""Monte Carlo dropout: the net is asked many times while its dropout stays on."""
# %%
import numpy as np
import torch
# %%
x = np.sort(np.random.uniform(-3, 3, 80)).astype(np.float32)
y = (np.sin(x) + 0.1 * np.random.standard_normal(80)).astype(np.float32)
# %%
inside = (x < -1) | (x > 0.5)       # a gap in the middle
x_known = torch.tensor(x[inside])[:, None]
y_known = torch.tensor(y[inside])[:, None]
# %%
rate = 0.2
bayes = torch.nn.Sequential(
    torch.nn.Linear(1, 40), torch.nn.ReLU(), torch.nn.Dropout(rate),
    torch.nn.Linear(40, 40), torch.nn.ReLU(), torch.nn.Dropout(rate),
    torch.nn.Linear(40, 1),
)
# %%
def spread(model, at, n=30):
    model.train()
    with torch.no_grad():
        asked = torch.stack([model(at) for _ in range(n)])
    return asked.mean(0), asked.std(0)
# %%
grid = torch.linspace(-3, 3, 25)[:, None]
mean, sd = spread(bayes, grid)
sd.squeeze()[:4]
# %%
opt = torch.optim.Adam(bayes.parameters(), 1e-2)
# %%
%%track "mc dropout"
import nbtrack
for step in range(150):
    loss = ((bayes(x_known) - y_known) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 30 == 29:
        mean, sd = spread(bayes, grid)
        in_gap = (grid > -1) & (grid < 0.5)
        nbtrack.log(
            {"gap/sd": sd[in_gap].mean().item(), "known/sd": sd[~in_gap].mean().item()},
            step=step,
        )
