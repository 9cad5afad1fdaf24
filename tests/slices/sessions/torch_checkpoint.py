"""torch.save of a state dict, more training, load_state_dict from the file."""
# kind: pickle
# %%
import torch
torch.manual_seed(0)
net = torch.nn.Linear(2, 1); opt = torch.optim.SGD(net.parameters(), lr=.1)
x = torch.ones(3, 2)
def train():
    l = net(x).pow(2).mean(); opt.zero_grad(); l.backward(); opt.step()
    return l.item()
# %%
train()
# %%
torch.save(net.state_dict(), "ck.pt")
# %%
train(); train()
# %%
net.load_state_dict(torch.load("ck.pt"))
# %%
for _ in range(2):
    loss = train()
