"""Toy images: augmentation with unseeded noise was tried, then switched off by a flag."""
# kind: long realistic
# rng: yes
# %%
import numpy as np
# %%
imgs = np.stack([np.eye(4) * k for k in range(1, 7)])
labels = np.arange(6) % 2
# %%
imgs.shape
# %%
AUG = True
# %%
def augment(im):
    if AUG:
        im = im + np.random.normal(0, 0.1, im.shape)
    return im
# %%
noisy = augment(imgs[0])
# %%
float(noisy.mean())
# %%
AUG = False
# %%
batch = np.stack([augment(i) for i in imgs])
# %%
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
fig, axs = plt.subplots(1, 3)
for a, i in zip(axs, batch): a.imshow(i)
plt.close(fig)
# %%
mean = batch.mean(); std = batch.std()
print(mean, std)
# %%
batch -= mean
batch /= std
# %%
w = np.zeros(16)
# %%
lr = 0.01
# %%
flat = batch.reshape(6, -1)
for epoch in range(3):
    pred = flat @ w
    grad = flat.T @ (pred - labels) / 6
    w -= lr * grad
    loss = float(((pred - labels) ** 2).mean())
