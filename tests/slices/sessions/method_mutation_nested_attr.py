"""cfg.optim.lr is set through three dots, elsewhere cfg is only read."""
# kind: method mutation
# %%
from types import SimpleNamespace as NS
cfg = NS(optim=NS(lr=0.1, betas=[0.9, 0.99]), data=NS(n=4))
# %%
cfg.data.n
# %%
cfg.optim.betas[0] = 0.8
# %%
print("lr is", cfg.optim.lr)
# %%
cfg.optim.lr *= 0.5
# %%
w = 1.0
for i in range(cfg.data.n):
    w = w * cfg.optim.betas[0] - cfg.optim.lr
    loss = w * w
