# A trainer with a config object and a function inside its method.
# %% setup

from dataclasses import dataclass
import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
X = torch.randn(64, 6)
y = (X[:, 0] > 0).long()

@dataclass
class TrainerConfig:
    max_epochs: int = 10
    batch_size: int = 16
    learning_rate: float = 3e-2

class Meter:
    def __init__(self):
        self.sum = self.count = 0
    def update(self, val, n=1):
        self.sum += val * n
        self.count += n
    @property
    def avg(self):
        return self.sum / self.count

class Trainer:
    def __init__(self, model, config):
        self.model, self.config = model, config
        self.history = {"train_loss": [], "test_loss": []}
    def train(self):
        config = self.config
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=config.learning_rate)
        def run_epoch(split):
            is_train = split == "train"
            first, last = (0, 48) if is_train else (48, 64)
            losses = Meter()
            for it, at in enumerate(range(first, last, config.batch_size)):
                with torch.set_grad_enabled(is_train):
                    part = slice(at, at + config.batch_size)
                    loss = F.cross_entropy(self.model(X[part]), y[part])
                losses.update(loss.item(), config.batch_size)
                if is_train:
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
            return losses.avg
        for epoch in range(config.max_epochs):
            train_loss = run_epoch("train")
            test_loss = run_epoch("test")
            self.history["train_loss"].append(train_loss)
            self.history["test_loss"].append(test_loss)
# %% track
tconf = TrainerConfig(max_epochs=3, learning_rate=0.05)
trainer = Trainer(nn.Linear(6, 2), tconf)
trainer.train()
# %% expect
params = {"max_epochs": 3, "learning_rate": 0.05, "batch_size": 16}
metrics = {"train_loss": "trainer.history['train_loss']", "test_loss": "trainer.history['test_loss']", "loss": 12}
axes = {"train_loss": ["epoch"], "loss": ["epoch", "it"]}
