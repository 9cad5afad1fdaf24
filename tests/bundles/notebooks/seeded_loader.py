"""A loader with a generator of its own; the weights come from the global one."""
# %%
import torch
from torch.utils.data import DataLoader, Dataset
# %%
class Parity(Dataset):
    """Is the number of ones in eight bits odd?"""
    def __len__(self):
        return 256
    def __getitem__(self, i):
        bits = torch.tensor([(i >> k) & 1 for k in range(8)], dtype=torch.float32)
        return bits, bits.sum() % 2
# %%
data = Parity()
data[7]
# %%
g = torch.Generator().manual_seed(3)
loader = DataLoader(data, batch_size=32, shuffle=True, generator=g)
# %%
first = next(iter(loader))
first[1]
# %%
net = torch.nn.Sequential(
    torch.nn.Linear(8, 32), torch.nn.GELU(), torch.nn.Dropout(0.05), torch.nn.Linear(32, 1)
)
# %%
optimizer = torch.optim.NAdam(net.parameters(), lr=0.02)
loss_fn = torch.nn.functional.binary_cross_entropy_with_logits
# %%
for bits, odd in loader:      # a short look whether it learns at all
    optimizer.zero_grad(); loss_fn(net(bits)[:, 0], odd).backward(); optimizer.step()
# %%
%%track parity
for epoch in range(6):
    total, right = 0.0, 0
    for bits, odd in loader:
        optimizer.zero_grad()
        logits = net(bits).squeeze(1)
        batch_loss = loss_fn(logits, odd)
        batch_loss.backward()
        optimizer.step()
        total += batch_loss.item()
        right += ((logits > 0) == odd.bool()).sum().item()
    mean_loss = total / len(loader)
    accuracy = right / len(data)
