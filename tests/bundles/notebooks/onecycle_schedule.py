"""A one-cycle schedule; the learning rate is a metric too, and three seeds are set."""
# %%
import random, numpy as np, torch
def seed_everything(seed=1234):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
seed_everything()
# %%
from dataclasses import dataclass

@dataclass
class Config:
    max_lr: float = 0.05
    epochs: int = 6
    batch: int = 32
    width: int = 24
cfg = Config()
cfg
# %%
def spiral(n, turns=1.5):
    r = np.linspace(0.1, 1, n)
    out = []
    for arm in range(3):
        angle = r * turns * 2 * np.pi + arm * 2 * np.pi / 3
        angle += np.random.normal(0, 0.15, n)
        out.append(np.c_[r * np.cos(angle), r * np.sin(angle)])
    return np.vstack(out).astype("float32"), np.repeat(np.arange(3), n)
# %%
points, arms = spiral(120)
points[:3]
# %%
cfg.width = 32   # 24 was a bit small
X, y = torch.from_numpy(points), torch.from_numpy(arms)
# %%
net = torch.nn.Sequential(
    torch.nn.Linear(2, cfg.width), torch.nn.ReLU(),
    torch.nn.Linear(cfg.width, cfg.width), torch.nn.ReLU(),
    torch.nn.Linear(cfg.width, 3),
)
# %%
opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
steps_per_epoch = -(-len(X) // cfg.batch)
sched = torch.optim.lr_scheduler.OneCycleLR(
    opt, max_lr=cfg.max_lr, epochs=cfg.epochs, steps_per_epoch=steps_per_epoch
)
# %%
%%track spiral
import nbtrack
step = 0
for epoch in range(cfg.epochs):
    for rows in torch.randperm(len(X)).split(cfg.batch):
        loss = torch.nn.functional.cross_entropy(net(X[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        nbtrack.log(lr=sched.get_last_lr()[0], loss=loss.item(), step=step)
        sched.step()
        step += 1
    nbtrack.log(accuracy=(net(X).argmax(1) == y).float().mean().item(), step=step - 1)
