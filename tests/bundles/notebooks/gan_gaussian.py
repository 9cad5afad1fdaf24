"""The smallest GAN there is: it learns the mean and the spread of a normal curve."""
# %%
import torch
from torch import nn, optim
from torch.distributions import Normal
# %%
target = Normal(4.0, 1.25)
target.sample((5,))
# %%
def make_net(n_in, width, *, out=1):
    return nn.Sequential(
        nn.Linear(n_in, width), nn.LeakyReLU(0.1), nn.Linear(width, out)
    )
# %%
G = make_net(1, 8)
D = make_net(1, 8)
# %%
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)
# %%
G(torch.randn(3, 1))
# %%
opt_g = optim.Adam(G.parameters(), lr=2e-2, betas=(0.5, 0.999))
opt_d = optim.Adam(D.parameters(), lr=1e-2, betas=(0.5, 0.999))
# %%
%%track "tiny gan"
for it in range(120):
    real = target.sample((64, 1))
    fake = G(torch.randn(64, 1))
    d_loss = bce(D(real), ones) + bce(D(fake.detach()), zeros)
    opt_d.zero_grad()
    d_loss.backward()
    opt_d.step()

    g_loss = bce(D(fake), ones)
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    mean_error = abs(fake.mean().item() - 4.0)
    if it % 40 == 39:
        print(it, d_loss.item(), g_loss.item(), fake.std().item())
