"""tensor.numpy() shares memory with the parameter; numpy changes the model."""
# kind: view
# %%
import torch
lin = torch.nn.Linear(2, 1, bias=False)
with torch.no_grad():
    lin.weight.fill_(1.0)
# %%
raw = lin.weight.detach().numpy()
# %%
clone = lin.weight.detach().clone()
# %%
clone.zero_()
# %%
raw[0, 0] = 4
# %%
x = torch.tensor([[1., 2.], [3., 4.]])
# %%
for xi in x:
    loss = lin(xi).item()
