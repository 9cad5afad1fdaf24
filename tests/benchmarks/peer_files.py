"""One tracker keeps the same files, in a fresh process: `peer_files.py PEER FOLDER`.

`large` first, `large` again, then every checkpoint under one name. `calls` is the time
of the calls of `log_artifact`, whatever they leave for later (nbtrack nothing: it waits
for its version here), `seconds` until each file is on the disk as well before the next
is saved, which only nbtrack sees to itself. `bytes` is what the tracker's folder grew
by. Prints a JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PEER = sys.argv[1]
Log = Callable[[Path, str], object]


def nbtrack() -> tuple[Log, Callable[[], object]]:
    import nbtrack as api

    os.environ["NBTRACK_STORE"] = str(Path.cwd() / "kept")
    run = api.start("files", off="all")

    def finish() -> None:
        run.finish()
        run.store.close()

    return lambda path, name: run.log_artifact(path, name).version, finish


def trackio() -> tuple[Log, Callable[[], object]]:
    os.environ["TRACKIO_DIR"] = str(Path.cwd() / "kept")
    import trackio as api

    api.init(project="bench", name="files", auto_log_gpu=False)
    return lambda path, name: api.log_artifact(path, name=name), api.finish


def mlflow() -> tuple[Log, Callable[[], object]]:
    import mlflow as api

    api.set_tracking_uri(f"sqlite:///{Path.cwd()}/mlflow.db")
    api.create_experiment("bench", artifact_location=f"file://{Path.cwd()}/kept")
    api.set_experiment("bench")
    api.start_run()
    return lambda path, name: api.log_artifact(str(path), name), api.end_run


def wandb() -> tuple[Log, Callable[[], object]]:
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    for place in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR"):
        os.environ[place] = str(Path.cwd() / "kept")
    Path("kept").mkdir()
    import wandb as api

    quiet = api.Settings(x_disable_stats=True, console="off", disable_git=True)
    run = api.init(project="bench", settings=quiet)

    def log(path: Path, name: str) -> None:
        artifact = api.Artifact(name, type="file")
        artifact.add_file(str(path))
        run.log_artifact(artifact)

    return log, run.finish


PEERS = {each.__name__: each for each in (nbtrack, trackio, mlflow, wandb)}


def kept_bytes() -> int:
    files = (path for path in Path("kept").rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files if not path.is_symlink())


def sync_kept() -> None:
    """Have the disk write what a tracker left to the system."""
    if PEER == "nbtrack":
        return  # did so itself, and nobody else may open its database
    for path in Path("kept").rglob("*"):
        if path.is_file() and not path.is_symlink():
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)


def measure(log: Log, files: list[tuple[Path, str]]) -> dict[str, float]:
    sync_kept()
    before, calls, began = kept_bytes(), 0.0, time.perf_counter()
    for path, name in files:
        called = time.perf_counter()
        log(path, name)
        calls += time.perf_counter() - called
        sync_kept()
    seconds = time.perf_counter() - began
    grown = max(1, kept_bytes() - before)
    return {"calls": calls, "seconds": seconds, "bytes": grown}


def main() -> None:
    folder = Path(sys.argv[2])
    large, checkpoints = folder / "large", sorted(folder.glob("*.pt"))
    with tempfile.TemporaryDirectory(
        dir=folder.parent, ignore_cleanup_errors=True
    ) as work:
        os.chdir(work)
        log, finish = PEERS[PEER]()
        small = folder.parent / "warm.txt"
        small.write_text("what the first call imports is not timed")
        log(small, "warm")
        figures = {
            "first": measure(log, [(large, "large")]),
            "again": measure(log, [(large, "large")]),
            "checkpoints": measure(log, [(path, "model") for path in checkpoints]),
        }
        finish()
        os.chdir("/")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
