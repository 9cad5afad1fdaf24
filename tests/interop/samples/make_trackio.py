"""Makes the sample of trackio, where trackio is: `python make_trackio.py FOLDER`.

Two runs in two projects' worth of everything it keeps, and what its own API says of
them, as `said.json`. The database is packed, to be small here.
"""

import gzip
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

folder = Path(sys.argv[1]).resolve()
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
os.environ["TRACKIO_DIR"] = str(folder)

import numpy as np  # noqa: E402
import trackio  # noqa: E402

LOSSES = [1.0, 0.5, float("nan"), float("inf"), -float("inf"), 0.25]
is_new = hasattr(trackio, "log_artifact")


def one(number):
    trackio.init(
        project="digits",
        name=f"net-{number}",
        config={
            "lr": 0.1 * (number + 1),
            "opt": {"name": "adam", "betas": [0.9, 0.99]},
            "n": 3, "flag": True, "none": None,
        },
    )  # fmt: skip
    for step, loss in enumerate(LOSSES):
        trackio.log({"train/loss": loss, "acc": step / 10, "note": f"step {step}"})
    picture = trackio.Image(np.zeros((4, 4, 3), dtype="uint8"), caption="black")
    table = trackio.Table(data=[[1, "a"], [2, "b"]], columns=["n", "word"])
    trackio.log({"picture": picture}, step=10)
    if is_new:
        trackio.log({"table": table}, step=10)
        counts = trackio.Histogram([1.0, 2.0, 3.0, 3.0], num_bins=4)
        trackio.log({"weights": counts}, step=10)
        trackio.log_system({"cpu": 12.5, "gpu/0/util": 3})
        trackio.log_system({"cpu": 15.5})
        log_files(number)
        trackio.alert("high", text="too high", level=trackio.AlertLevel.WARN)
    trackio.finish()


def log_files(number):
    logged = trackio.Artifact("net", type="model", metadata={"a": 1})
    made = folder / "w.bin"
    made.write_bytes(b"weights %d" % number)
    logged.add_file(str(made), name="sub/w.bin")
    trackio.log_artifact(logged, aliases=["gold"])
    if number:
        trackio.use_artifact("net:v0")
    made.unlink()


def said():
    """What trackio says of its runs: its reading functions, not its tables."""
    from trackio.sqlite_storage import SQLiteStorage as Kept

    runs = {}
    for name in Kept.get_runs("digits"):
        logs = Kept.get_logs("digits", name)
        runs[name] = {
            "config": Kept.get_run_config("digits", name),
            "logs": [{k: str(v) for k, v in row.items()} for row in logs],
            "system": Kept.get_system_logs("digits", name) if is_new else [],
        }
    return runs


one(0)
one(1)
(folder / "said.json").write_text(json.dumps(said(), indent=1))
if "--keep" not in sys.argv:
    database = folder / "digits.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    (folder / "digits.db.gz").write_bytes(gzip.compress(database.read_bytes(), mtime=0))
    for leftover in folder.glob("digits.[dl][bo]*"):
        if leftover.suffix != ".gz":
            leftover.unlink()
