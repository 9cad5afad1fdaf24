"""A denoising autoencoder of digits: new noise in every batch, reconstructions shown."""
# %%
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
# %%
pixels = load_digits().data.astype(np.float32) / 16.0
pixels = pixels[np.random.choice(len(pixels), 600, replace=False)]
# %%
def show(rows):
    fig, axes = plt.subplots(1, len(rows), figsize=(len(rows), 1))
    for ax, row in zip(axes, rows):
        ax.imshow(row.reshape(8, 8), cmap="gray"); ax.axis("off")
    return fig

show(pixels[:5]);
# %%
x = torch.from_numpy(pixels)
latent = 6
encoder = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, latent))
decoder = torch.nn.Sequential(torch.nn.Linear(latent, 32), torch.nn.ReLU(), torch.nn.Linear(32, 64), torch.nn.Sigmoid())
# %%
noise = 0.3
corrupted = (x + noise * torch.randn_like(x)).clamp(0, 1)
show(corrupted[:5].numpy());
# %%
with torch.no_grad():
    before = decoder(encoder(corrupted))
((before - x) ** 2).mean()
# %%
params = [*encoder.parameters(), *decoder.parameters()]
opt = torch.optim.Adam(params, lr=5e-3)
# %%
%%track denoiser
history = []
for epoch in range(12):
    order = torch.randperm(len(x))
    running = 0.0
    for rows in order.split(100):
        dirty = (x[rows] + noise * torch.randn(len(rows), 64)).clamp(0, 1)
        loss = torch.nn.functional.mse_loss(decoder(encoder(dirty)), x[rows])
        opt.zero_grad(); loss.backward(); opt.step()
        running += loss.item() * len(rows)
    epoch_loss = running / len(x)
    history.append(epoch_loss)
plt.figure(); plt.plot(history);
