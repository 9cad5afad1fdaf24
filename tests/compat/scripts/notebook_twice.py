"""The cells of a notebook: begin, log, finish, and again with another setting."""

import wandb

# In [1]
wandb.init(project="cells", config={"lr": 0.1}, mode="offline")
for i in range(3):
    wandb.log({"loss": 1 / (i + 1)})
assert wandb.summary["loss"] == 1 / 3
wandb.finish()
assert wandb.run is None

# In [2]
run = wandb.init(project="cells", config={"lr": 0.2}, reinit="finish_previous")
run.name = "the second"
run.tags = ("again",)
run.notes = "a note"
wandb.log({"loss": 0.25})

# In [3]
run = wandb.init(project="cells", config={"lr": 0.3}, reinit="finish_previous")
wandb.log({"loss": float("nan")})
wandb.log({"loss": 0.125})
same = wandb.init(project="cells", reinit="return_previous")
assert same is run
wandb.finish(exit_code=1)

# In [4]
with wandb.init(mode="disabled") as nothing:
    nothing.log({"loss": 1})
    nothing.summary["best"] = 1
    assert nothing.disabled
try:
    wandb.log({"loss": 1})
except wandb.Error as exc:
    assert "wandb.init()" in str(exc)
