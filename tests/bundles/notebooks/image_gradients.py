"""HOG-like features of digits, cached in a dictionary, fed to a perceptron of sklearn."""
# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
# %%
bunch = load_digits(n_class=5)
images = bunch.images / 16
images.min(), images.max()
# %%
cache = {}
def features(i, cells=2):
    if (i, cells) not in cache:
        gy, gx = np.gradient(images[i])
        angle = (np.arctan2(gy, gx) / np.pi * 4).astype(int) % 8
        size = 8 // cells
        parts = []
        for r in range(0, 8, size):
            for c in range(0, 8, size):
                a, m = angle[r:r+size, c:c+size], np.hypot(gy, gx)[r:r+size, c:c+size]
                parts.append(np.bincount(a.ravel(), m.ravel(), 8))
        cache[i, cells] = np.concatenate(parts)
    return cache[i, cells]
# %%
features(0).shape
# %%
all_rows = np.random.permutation(len(images))[:500]
F = np.array([features(i) for i in all_rows])
labels = bunch.target[all_rows]
# %%
len(cache)
# %%
net = MLPClassifier((24,), batch_size=50, learning_rate_init=0.01)
# %%
%%track hog
for epoch in range(10):
    net.partial_fit(F[:400], labels[:400], classes=np.arange(5))
    train_loss = net.loss_
    val_acc = net.score(F[400:], labels[400:])
    print(epoch, train_loss, val_acc)
