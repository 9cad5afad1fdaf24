"""A run that goes on after its script ended, as on a cluster with short jobs."""

import wandb

for life in range(2):
    run = wandb.init(
        project="long", id="long-job-1", resume="allow", config={"lr": 0.1}
    )
    start = run.step
    for step in range(start, start + 3):
        run.log({"loss": 1.0 / (step + 1)}, step=step)
    run.summary["lives"] = life + 1
    run.finish()
