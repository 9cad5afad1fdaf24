"""A variational autoencoder of blobs in the plane; KL is warmed up, two losses."""
# %%
import numpy as np, torch
from sklearn.datasets import make_blobs
torch.set_default_dtype(torch.float64)
# %%
centres = np.random.uniform(-4, 4, (4, 5))
data, which = make_blobs(240, centers=centres, cluster_std=0.6)
x = torch.as_tensor((data - data.mean(0)) / data.std(0))
# %%
x.std(0), x.dtype
# %%
class VAE(torch.nn.Module):
    def __init__(self, n_in=5, n_z=2):
        super().__init__()
        self.enc = torch.nn.Linear(n_in, 16)
        self.mu, self.logvar = torch.nn.Linear(16, n_z), torch.nn.Linear(16, n_z)
        self.dec = torch.nn.Sequential(torch.nn.Linear(n_z, 16), torch.nn.Tanh(), torch.nn.Linear(16, n_in))
    def forward(self, x):
        h = torch.tanh(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar
# %%
vae = VAE()
vae(x[:2])[0]
# %%
def losses(out, x, mu, logvar):
    rec = ((out - x) ** 2).sum(1).mean()
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
    return rec, kl
# %%
warm_up = 20
optimiser = torch.optim.Adam(vae.parameters(), lr=8e-3)
# %%
%%track vae
for epoch in range(40):
    beta = min(1.0, epoch / warm_up)
    out, mu, logvar = vae(x)
    rec_loss, kl_loss = losses(out, x, mu, logvar)
    loss = rec_loss + beta * kl_loss
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
