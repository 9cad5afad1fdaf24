"""Settings from the command line."""

import argparse

import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--model", default="mlp")
parser.add_argument("--no-cuda", action="store_true")
args = parser.parse_args(["--lr", "0.5", "--no-cuda"])

wandb.login()
wandb.init(project="cli", config=args, settings=wandb.Settings(run_tags=("cli",)))
wandb.config.update({"model": "cnn"}, allow_val_change=True)
wandb.config.update({"layers": [16, 32]})
wandb.config["seed"] = 3
wandb.config.setdefaults({"seed": 4, "dropout": None})
assert wandb.config.get("missing", 5) == 5
assert "lr" in wandb.config and wandb.config.lr == 0.5
try:
    wandb.config.update({"lr": 0.1})
except wandb.Error as exc:
    assert "allow_val_change" in str(exc)
else:
    raise AssertionError("a value was changed without leave")
for epoch in range(wandb.config.epochs):
    wandb.log({"acc": 0.5 + epoch / 10}, commit=False)
    wandb.log({"loss": 1 - epoch / 10})
wandb.log({"late": 1}, step=10)
wandb.log({"later": 2}, step=10)
wandb.log({"last": 3})
assert wandb.run.step == 11
wandb.finish()
