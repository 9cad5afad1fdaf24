"""Runs as the real wandb logs them without its server: `python make_wandb.py FOLDER`.

Each run is a process of its own, for one of them ends by `kill -9`.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path


def begin(run_id, **more):
    import wandb

    os.environ["WANDB_SILENT"] = "true"
    settings = {"silent": True, "host": "somewhere", "console": "wrap"}
    if os.environ.get("LEAN"):  # nothing of the machine where the samples were made
        settings |= {"x_disable_meta": True, "x_disable_stats": True}
    return wandb.init(
        mode="offline", dir=".", id=run_id, settings=wandb.Settings(**settings), **more
    )


def everything():
    import numpy as np
    import wandb

    config = {"lr": 0.1, "net": {"sizes": [1, 2], "act": "relu"}, "unset": None}
    run = begin(
        "full1234", project="alpha", entity="team", name="everything", group="g",
        job_type="train", notes="as it was", tags=["x", "y"], config=config,
    )  # fmt: skip
    run.define_metric("acc", summary="max")
    run.define_metric("epoch_loss", step_metric="epoch")
    odd = [math.nan, math.inf, -math.inf]
    for i in range(20):
        nested = {"a": i, "b": {"c": 2.5}}
        run.log(
            {"loss": 1 / (i + 1), "acc": i / 20, "odd": odd[i % 3], "nest": nested}
            | {"flag": True, "said": f"step {i}", "epoch": i // 5, "epoch_loss": i / 2}
        )
    picture = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    run.log({"one": wandb.Image(picture, caption="a caption")})
    run.log({"three": [wandb.Image(picture + n) for n in range(3)]})
    table = wandb.Table(columns=["a", "b"], data=[[1, "x"], [2.5, None]])
    run.log({"rows": table, "hist": wandb.Histogram(np.arange(100))})
    run.log({"page": wandb.Html("<b>bold</b>", inject=False)})
    run.config.update({"later": 3})
    run.summary["best"] = 42
    run.summary["verdict"] = "good"
    print("printed to stdout")
    print("printed to stderr", file=sys.stderr)
    artifact = wandb.Artifact("ds", type="dataset", metadata={"k": 1}, description="d")
    Path("data.txt").write_text("data\n")
    artifact.add_file("data.txt")
    run.log_artifact(artifact, aliases=["good"])
    Path("kept.txt").write_text("kept\n")
    run.save("kept.txt", policy="now")
    run.alert("a title", "a text")
    run.finish()


def failed():
    run = begin("fail1234", project="alpha", config={"lr": 1})
    run.log({"loss": 1.0})
    raise ValueError("it went wrong")


def killed():
    run = begin("kill1234", project="alpha", config={"lr": 2})
    for i in range(int(os.environ.get("N_KILLED", "130"))):
        run.log({"loss": float(i)})
    import time

    time.sleep(3)  # it writes to the log from another process
    os.kill(os.getpid(), signal.SIGKILL)


def elsewhere():
    """The id of another project's run."""
    run = begin("full1234", project="beta", config={"lr": 7})
    for i in range(3):
        run.log({"loss": float(i)}, step=100 + i * 10)
    run.finish()


def resumed():
    run = begin("more1234", project="beta", config={"lr": 8})
    run.log({"loss": 1.0}, step=0)
    run.finish()


def resumed_again():
    run = begin("more1234", project="beta", config={"lr": 9}, resume="allow")
    run.log({"loss": 0.5}, step=1)
    run.finish()


RUNS = [everything, failed, killed, elsewhere, resumed, resumed_again]


def make_all(folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    script = Path(__file__).resolve()
    for run in RUNS:
        # Of one run and second, wandb would take one folder for both.
        subprocess.run(["sleep", "1.1"], check=True)
        subprocess.run([sys.executable, script, folder, run.__name__], cwd=folder)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        make_all(sys.argv[1])
    else:
        globals()[sys.argv[2]]()
