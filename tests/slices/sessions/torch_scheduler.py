"""scheduler.step() was called for a plot of the schedule, which moves the optimizer."""
# kind: schedulers
# %%
import torch
import warnings; warnings.filterwarnings("ignore")
p = torch.nn.Parameter(torch.ones(1))
opt = torch.optim.SGD([p], lr=1.0)
sch = torch.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.1)
# %%
lrs = []
for _ in range(3):
    lrs.append(sch.get_last_lr()[0]); sch.step()
# %%
p2 = torch.nn.Parameter(torch.ones(1))
# %%
for i in range(3):
    sch.step()
    lr = opt.param_groups[0]["lr"]
    loss = lr * 10
