"""How many clusters do the digits have? The elbow, with a plot, and another idea."""
# %%
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
# %%
X, labels = load_digits(n_class=6, return_X_y=True)
X.shape
# %%
flat = PCA(n_components=2).fit_transform(X)
plt.figure(figsize=(4, 3))
plt.scatter(flat[:, 0], flat[:, 1], c=labels, s=4);
# %%
reduced = PCA(n_components=10).fit_transform(X / 16)
reduced.std(axis=0)
# %%
km = KMeans(n_clusters=6, n_init=1).fit(reduced)
adjusted_rand_score(labels, km.labels_)
# %%
inertias = []
# %%
%%track
for k in range(2, 12):
    km = KMeans(n_clusters=k, n_init=1, init="random").fit(reduced)
    inertia_loss = km.inertia_ / len(reduced)
    silhouette = silhouette_score(reduced, km.labels_, sample_size=300)
    rand_score = adjusted_rand_score(labels, km.labels_)
    inertias.append(inertia_loss)
plt.plot(range(2, 12), inertias, "o-")
plt.xlabel("k");
