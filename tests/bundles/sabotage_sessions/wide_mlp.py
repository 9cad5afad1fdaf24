"""A wide net for many classes: large enough that its sums are shared out to threads."""
# %%
import torch
from torch import nn
# %%
torch.manual_seed(11)
X = torch.randn(1024, 200)
y = (X @ torch.randn(200, 10)).argmax(1)
# %%
y.bincount()
# %%
net = nn.Sequential(nn.Linear(200, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
# %%
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
# %%
%%track wide
for epoch in range(12):
    loss = nn.functional.cross_entropy(net(X), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    weight_norm_score = net[0].weight.norm().item()
