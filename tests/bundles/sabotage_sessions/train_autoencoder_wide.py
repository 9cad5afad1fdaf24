"""An autoencoder with wide layers on correlated noise, in large batches."""
# %%
import torch
from torch import nn
# %%
basis = torch.randn(12, 256)
data = torch.randn(2048, 12) @ basis
data = (data - data.mean(0)) / data.std(0)
# %%
data[:2, :4]
# %%
coder = nn.Sequential(nn.Linear(256, 384), nn.Tanh(), nn.Linear(384, 16))
back = nn.Sequential(nn.Linear(16, 384), nn.Tanh(), nn.Linear(384, 256))
# %%
optim = torch.optim.AdamW([*coder.parameters(), *back.parameters()], lr=2e-3)
# %%
%%track coder
for epoch in range(3):
    for batch in data.split(512):
        loss = nn.functional.mse_loss(back(coder(batch)), batch)
        optim.zero_grad()
        loss.backward()
        optim.step()
