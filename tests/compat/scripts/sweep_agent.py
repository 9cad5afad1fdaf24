"""A grid of two params, and an agent."""

import wandb

sweep_config = {
    "name": "bowl",
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {
        "x": {"values": [-1, 0, 2]},
        "y": {"value": 0.5},
        "optimizer": {"parameters": {"kind": {"values": ["sgd", "adam"]}}},
    },
}


def train():
    with wandb.init(config={"x": 7, "epochs": 2}) as run:
        config = run.config
        assert config["optimizer"]["kind"] in ("sgd", "adam")
        for epoch in range(config.epochs):
            run.log({"loss": config.x**2 + config.y + 1 - epoch, "epoch": epoch})


if __name__ == "__main__":
    sweep_id = wandb.sweep(sweep_config, project="bowls")
    wandb.agent(sweep_id, function=train, count=4)
    wandb.agent(sweep_id, function=train, count=2)
