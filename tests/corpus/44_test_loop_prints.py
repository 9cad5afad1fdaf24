# Two loops in functions; the test loop divides in place and prints a percentage.
# %% setup

import torch, torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(96, 10)
y = (X[:, 0] > 0).long()
train_dl = DataLoader(TensorDataset(X[:64], y[:64]), batch_size=16)
test_dl = DataLoader(TensorDataset(X[64:], y[64:]), batch_size=16)

def train_loop(dataloader, model, loss_fn, optimizer):
    for batch, (X, y) in enumerate(dataloader):
        loss = loss_fn(model(X), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 2 == 0:
            loss, current = loss.item(), (batch + 1) * len(X)
            print(f"loss: {loss:>7f}  [{current:>3d}/{len(dataloader.dataset):>3d}]")

def test_loop(dataloader, model, loss_fn):
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            pred = model(X)
            test_loss += loss_fn(pred, y).item()
            correct += (pred.argmax(1) == y).sum().item()
    test_loss /= len(dataloader)
    correct /= len(dataloader.dataset)
    print(f"Test: \n Accuracy: {(100 * correct):>0.1f}%, Avg loss: {test_loss:>8f} \n")
# %% track
model = nn.Linear(10, 2)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
epochs = 3
for t in range(epochs):
    print(f"Epoch {t + 1}\n----------")
    train_loop(train_dl, model, loss_fn, optimizer)
    test_loop(test_dl, model, loss_fn)
# %% expect
params = {"epochs": 3, "optimizer": "SGD", "optimizer.lr": 1e-2, "train_dl.batch_size": 16}
metrics = {"loss": 12, "test_loss": 3, "accuracy": 3}
axes = {"loss": ["t", "batch"], "test_loss": ["t"], "accuracy": ["t"]}
