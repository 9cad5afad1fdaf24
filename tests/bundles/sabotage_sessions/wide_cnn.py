"""Convolutions over textures; nobody seeded, the batches are large."""
# %%
import torch
import torch.nn as nn
import torch.nn.functional as F
# %%
angle = torch.rand(192) * 3.1416
grid = torch.stack(torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij"))
waves = torch.cos(angle)[:, None, None] * grid[0] + torch.sin(angle)[:, None, None] * grid[1]
images = (torch.sin(waves) + 0.3 * torch.randn(192, 20, 20))[:, None]
# %%
images.shape
# %%
class Texture(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 24, 5), nn.Conv2d(24, 32, 3)
        self.out = nn.Linear(32, 2)
    def forward(self, x):
        x = F.relu(self.b(F.max_pool2d(F.relu(self.a(x)), 2)))
        return self.out(x.mean((2, 3)))
# %%
net = Texture()
wanted = torch.stack([torch.cos(2 * angle), torch.sin(2 * angle)], 1)
# %%
adam = torch.optim.Adam(net.parameters(), 5e-3)
# %%
%%track textures
for epoch in range(10):
    loss = F.mse_loss(net(images), wanted)
    adam.zero_grad()
    loss.backward()
    adam.step()
