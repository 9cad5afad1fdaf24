"""Film ratings as a product of two thin matrices, learnt rating by rating."""
# %% id=start
import numpy as np
rs = np.random.RandomState()
# %% id=world
n_users, n_films, rank = 30, 40, 3
U_true, V_true = rs.randn(n_users, rank), rs.randn(n_films, rank)
R = np.clip(np.round(3 + U_true @ V_true.T + 0.3 * rs.randn(n_users, n_films)), 1, 5)
R[:3, :8]
# %% id=seen
seen = np.argwhere(rs.rand(n_users, n_films) < 0.35)
rs.shuffle(seen)
train, test = seen[:-80], seen[-80:]
len(train), len(test)
# %% id=init
k = 2
U, V = 0.1 * rs.randn(n_users, k), 0.1 * rs.randn(n_films, k)
mu = R[train[:, 0], train[:, 1]].mean()
# %% id=rmse
def rmse(rows):
    i, j = rows.T
    return np.sqrt(np.mean((mu + (U[i] * V[j]).sum(1) - R[i, j]) ** 2))

rmse(test)
# %% id=init
k = 3
U, V = 0.1 * rs.randn(n_users, k), 0.1 * rs.randn(n_films, k)
mu = R[train[:, 0], train[:, 1]].mean()
# %% id=hyper
eta, reg = 0.05, 0.02
# %% id=train
%%track ratings
for epoch in range(12):
    rs.shuffle(train)
    for i, j in train:
        e = R[i, j] - mu - U[i] @ V[j]
        U[i], V[j] = U[i] + eta * (e * V[j] - reg * U[i]), V[j] + eta * (e * U[i] - reg * V[j])
    train_rmse, test_rmse = rmse(train), rmse(test)
    print(epoch, round(train_rmse, 3), round(test_rmse, 3))
