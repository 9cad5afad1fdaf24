"""Makes the sample of DVCLive: `python make_dvclive.py FOLDER [--keep]`.

Needs dvclive, numpy, pillow and scikit-learn, and `dvc` on the path. A project with two
saved experiments and a run that lies in the folder, and what `dvc exp show` says of
them as `said.json`; packed as `project.tar.gz` unless it is to be kept.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
from dvclive import Live

folder = Path(sys.argv[1]).resolve()
shutil.rmtree(folder, ignore_errors=True)
project = folder / "project"
project.mkdir(parents=True)
os.chdir(project)
LOSSES = [1.0, 0.5, float("nan"), float("inf"), 0.25]


def call(*command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


def one(number, *, save):
    name = f"try-{number}" if save else None
    with Live(save_dvc_exp=save, exp_name=name, report=None) as live:
        live.log_params(
            {"lr": 10.0**-number, "opt": {"name": "adam"}, "yes": "yes", "n": [1, 2]}
        )
        for step, loss in enumerate(LOSSES):
            live.log_metric("train/loss", loss, timestamp=True)
            live.log_metric("acc", number + step / 10)
            live.log_image(f"drawn/{step}.png", np.zeros((4, 4, 3), "uint8"))
            if step == 4:
                live.log_metric("test_acc", 0.75, plot=False)
                live.log_metric("kind", "fine")
            live.next_step()
        live.log_sklearn_plot("confusion_matrix", [0, 1, 1], [0, 1, 0], name="cm")
        Path("net.bin").write_bytes(b"weights %d" % number)
        live.log_artifact(
            "net.bin",
            type="model",
            name="net",
            desc="small",
            labels=["a"],
            meta={"k": 1},
        )


call("git", "init", "-q", "-b", "main", ".")
call("git", "config", "user.email", "nobody@example.org")
call("git", "config", "user.name", "nobody")
call("dvc", "init", "-q")
call("git", "commit", "-q", "-m", "begin")
one(1, save=True)
one(5, save=True)
one(7, save=False)
(folder / "said.json").write_text(call("dvc", "exp", "show", "--json"))
shutil.rmtree(project / ".git/hooks", ignore_errors=True)
shutil.rmtree(project / ".dvc/tmp", ignore_errors=True)
if "--keep" not in sys.argv:
    with tarfile.open(folder / "project.tar.gz", "w:gz") as tar:
        tar.add(project, "project")
    shutil.rmtree(project)
