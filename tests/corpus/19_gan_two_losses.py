# Two players, two losses.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(256, 10)
y = (X[:, 0] + 0.5 * X[:, 1] > 0).long()

real = X[:, :2]
# %% track
latent_dim = 4
G = nn.Linear(latent_dim, 2)
D = nn.Linear(2, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3)
opt_d = torch.optim.Adam(D.parameters(), lr=2e-3)
bce = nn.BCEWithLogitsLoss()
for step in range(10):
    z = torch.randn(len(real), latent_dim)
    fake = G(z)
    d_loss = bce(D(real), torch.ones(len(real), 1)) + bce(D(fake.detach()), torch.zeros(len(real), 1))
    opt_d.zero_grad(); d_loss.backward(); opt_d.step()
    g_loss = bce(D(fake), torch.ones(len(real), 1))
    opt_g.zero_grad(); g_loss.backward(); opt_g.step()
# %% expect
params = {"latent_dim": 4, "step": 10, "opt_g.lr": 1e-3, "opt_d.lr": 2e-3}
metrics = {"d_loss": 10, "g_loss": 10}
axes = {"d_loss": ["step"]}
