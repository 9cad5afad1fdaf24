"""Bagging by hand on the wines: trees on bootstrap rows, after `np.random.seed(0)`."""
# %%
import numpy as np
from sklearn.datasets import load_wine
from sklearn.tree import DecisionTreeClassifier
# %%
np.random.seed(0)
# %%
wine = load_wine()
rows = np.random.permutation(len(wine.target))
train, held_out = rows[:110], rows[110:]
# %%
wine.feature_names[:3], wine.data.shape
# %%
max_leaves = 4
stump = DecisionTreeClassifier(max_leaf_nodes=max_leaves).fit(wine.data[train], wine.target[train])
stump.score(wine.data[held_out], wine.target[held_out])
# %%
def grow():
    sample = np.random.choice(train, len(train))
    tree = DecisionTreeClassifier(max_leaf_nodes=max_leaves, max_features=4)
    return tree.fit(wine.data[sample], wine.target[sample])
# %%
votes = np.zeros((len(held_out), 3))
# %%
%%track bagging
for n_trees in range(1, 31):
    tree = grow()
    votes[np.arange(len(held_out)), tree.predict(wine.data[held_out])] += 1
    single_acc = tree.score(wine.data[held_out], wine.target[held_out])
    bagged_acc = (votes.argmax(1) == wine.target[held_out]).mean()
    doubt_score = (votes.max(1) / n_trees).mean()
