"""A convolutional net on the 8 x 8 digits, batches shuffled by nobody knows what."""
# %%
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split
from sklearn.datasets import load_digits
# %%
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(digits.target)
# %%
dataset = TensorDataset(images[:900], labels[:900])
train_set, val_set = random_split(dataset, [700, 200])
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
val_loader = DataLoader(val_set, batch_size=200)
# %%
xb, yb = next(iter(train_loader))
xb.shape, yb[:10]
# %%
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 2 * 2, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))
# %%
net = Net()
net(xb).shape
# %%
opt = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2)
# %%
@torch.no_grad()
def validate():
    net.eval()
    correct = sum((net(x).argmax(1) == t).sum().item() for x, t in val_loader)
    net.train()
    return correct / len(val_set)
# %%
validate()
# %%
%%track cnn
for epoch in range(4):
    for xb, yb in train_loader:
        opt.zero_grad()
        loss = F.cross_entropy(net(xb), yb)
        loss.backward()
        opt.step()
    val_acc = validate()
    print("epoch", epoch, "val_acc", val_acc)
