# Short names: the loss is l, an epoch returns a tuple, a class of one's own adds up.
# %% setup

import torch, torch.nn as nn
torch.manual_seed(0)
X = torch.randn(64, 6)
y = (X[:, 0] > 0).long()
train_iter = [(X[i:i + 16], y[i:i + 16]) for i in range(0, 48, 16)]
test_iter = [(X[48:], y[48:])]

class Accumulator:
    def __init__(self, n):
        self.data = [0.0] * n
    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args)]
    def __getitem__(self, idx):
        return self.data[idx]

def hits(y_hat, y):
    return float((y_hat.argmax(1) == y).sum())

def evaluate_accuracy(net, data_iter):
    metric = Accumulator(2)
    for X, y in data_iter:
        metric.add(hits(net(X), y), y.numel())
    return metric[0] / metric[1]

def train_epoch(net, train_iter, loss, updater):
    metric = Accumulator(3)
    for X, y in train_iter:
        y_hat = net(X)
        l = loss(y_hat, y)
        updater.zero_grad()
        l.mean().backward()
        updater.step()
        metric.add(float(l.detach().sum()), hits(y_hat, y), y.numel())
    return metric[0] / metric[2], metric[1] / metric[2]
# %% track
net = nn.Linear(6, 2)
loss = nn.CrossEntropyLoss(reduction="none")
trainer = torch.optim.SGD(net.parameters(), lr=0.1)
num_epochs, kept = 4, []
for epoch in range(num_epochs):
    train_metrics = train_epoch(net, train_iter, loss, trainer)
    test_acc = evaluate_accuracy(net, test_iter)
    kept.append(train_metrics + (test_acc,))
train_loss, train_acc = train_metrics
# %% expect
params = {"num_epochs": 4, "trainer": "SGD", "trainer.lr": 0.1}
metrics = {"train_metric.0": "[k[0] for k in kept]", "train_metric.1": "[k[1] for k in kept]", "test_acc": "[k[2] for k in kept]"}
axes = {"test_acc": ["epoch"], "train_metric.0": ["epoch"]}
