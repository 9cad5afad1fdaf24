"""Train a small net, as tutorials of wandb do it."""

import torch
import wandb
from torch import nn

config = {
    "learning_rate": 0.05,
    "epochs": 3,
    "batch_size": 16,
    "architecture": {"hidden": 8, "activation": "relu"},
}

run = wandb.init(
    project="blobs",
    entity="my-team",
    group="baseline",
    job_type="train",
    name="torch-mlp",
    tags=["torch", "first try"],
    notes="A *small* net.",
    config=config,
    save_code=True,
)
cfg = wandb.config
run.define_metric("epoch")
run.define_metric("val/*", step_metric="epoch")
run.define_metric("val/acc", step_metric="epoch", summary="max")

torch.manual_seed(0)
x = torch.randn(64, 4)
y = (x.sum(dim=1) > 0).long()
model = nn.Sequential(
    nn.Linear(4, cfg.architecture["hidden"]),
    nn.ReLU(),
    nn.Linear(cfg["architecture"]["hidden"], 2),
)
wandb.watch(model, log="all", log_freq=4)
optimizer = torch.optim.SGD(model.parameters(), lr=cfg.learning_rate)
loss_of = nn.CrossEntropyLoss()

for epoch in range(cfg.epochs):
    for first in range(0, len(x), cfg.batch_size):
        batch = slice(first, first + cfg.batch_size)
        loss = loss_of(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        wandb.log({"train": {"loss": loss}, "lr": cfg.learning_rate})
    with torch.no_grad():
        acc = (model(x).argmax(1) == y).float().mean().item()
    wandb.log({"epoch": epoch, "val/acc": acc, "val/loss": loss.item()})

wandb.run.summary["best_acc"] = acc
wandb.run.summary.update({"note": "converged"})
wandb.alert(title="Done", text="training is over", level=wandb.AlertLevel.INFO)
torch.save(model.state_dict(), "model.pt")
wandb.save("model.pt")
wandb.unwatch(model)
wandb.finish()
