"""One measurement of one tracker in a fresh process: `peer_scripts.py PEER MEASURE`.

Lean settings for everybody (no system metrics, console capture or git). Prints one
JSON line. The tests run nbtrack and a peer in turn, so that the machine's mood is the
same for both; absolute times mean nothing, ratios do.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()


class Nbtrack:
    def __init__(self) -> None:
        import nbtrack

        os.environ["NBTRACK_STORE"] = str(Path.cwd() / ".nbtrack")
        self.api = nbtrack

    def start(self, name: str, params: dict[str, Any]) -> None:
        self.run = self.api.start(name, params=params)

    def log(self, values: dict[str, float], step: int) -> None:
        self.run.log(values, step=step)

    def finish(self) -> None:
        self.run.finish()

    def close(self) -> None:
        self.run.store.close()

    def table(self) -> int:
        return len(self.api.runs())


class Trackio:
    def __init__(self) -> None:
        os.environ["TRACKIO_DIR"] = str(Path.cwd() / "trackio")
        import trackio

        self.api = trackio

    def start(self, name: str, params: dict[str, Any]) -> None:
        quiet = (
            {"auto_log_gpu": False} if "auto_log_gpu" in self._init_options() else {}
        )
        self.api.init(project="bench", name=name, config=params, **quiet)

    def _init_options(self) -> set[str]:
        import inspect

        return set(inspect.signature(self.api.init).parameters)

    def log(self, values: dict[str, float], step: int) -> None:
        self.api.log(values, step=step)

    def finish(self) -> None:
        self.api.finish()

    def close(self) -> None:
        """Nothing is held open."""

    def table(self) -> int:
        # It has no table: the config and the last logs of each run make one.
        import pandas as pd
        from trackio.sqlite_storage import SQLiteStorage

        rows = []
        for run in self.api.Api().runs("bench"):
            logs = SQLiteStorage.get_logs("bench", run.name, run_id=run.id)
            rows.append({"name": run.name, **(run.config or {}), **logs[-1]})
        return len(pd.DataFrame(rows))


class Mlflow:
    def __init__(self) -> None:
        import mlflow

        mlflow.set_tracking_uri(f"sqlite:///{Path.cwd()}/mlflow.db")
        self.api = mlflow

    def start(self, name: str, params: dict[str, Any]) -> None:
        self.api.set_experiment("bench")
        self.api.start_run(run_name=name)
        self.api.log_params(params)

    def log(self, values: dict[str, float], step: int) -> None:
        self.api.log_metrics(values, step=step)

    def finish(self) -> None:
        self.api.end_run()

    def close(self) -> None:
        """Nothing is held open."""

    def table(self) -> int:
        return len(self.api.search_runs(experiment_names=["bench"], max_results=5000))


class MlflowFile(Mlflow):
    def __init__(self) -> None:
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        import mlflow

        mlflow.set_tracking_uri(f"file://{Path.cwd()}/mlruns")
        self.api = mlflow


class Aim:
    def __init__(self) -> None:
        import aim

        self.api = aim

    def start(self, name: str, params: dict[str, Any]) -> None:
        self.run = self.api.Run(
            repo=str(Path.cwd()), system_tracking_interval=None, log_system_params=False
        )
        self.run.name = name
        self.run["params"] = params

    def log(self, values: dict[str, float], step: int) -> None:
        self.run.track(values, step=step)

    def finish(self) -> None:
        self.run.close()

    def close(self) -> None:
        """Nothing is held open."""

    def table(self) -> int:
        import pandas as pd

        runs = self.api.Repo(str(Path.cwd())).iter_runs()
        rows = [
            {"name": run.name, **run["params"]}
            | {metric.name: metric.values.last()[1] for metric in run.metrics()}
            for run in runs
        ]
        return len(pd.DataFrame(rows))


class Tensorboard:
    def __init__(self) -> None:
        import tensorboardX

        self.api = tensorboardX

    def start(self, name: str, params: dict[str, Any]) -> None:
        self.writer = self.api.SummaryWriter(str(Path.cwd() / "events" / name))
        for key, value in params.items():
            self.writer.add_scalar(f"params/{key}", value, 0)

    def log(self, values: dict[str, float], step: int) -> None:
        for key, value in values.items():
            self.writer.add_scalar(key, value, step)

    def finish(self) -> None:
        self.writer.close()

    def close(self) -> None:
        """Nothing is held open."""

    def table(self) -> int:
        # It has no table: the last value of each scalar of each folder makes one.
        import pandas as pd
        from tensorboard.backend.event_processing.event_accumulator import (
            EventAccumulator,
        )

        rows = []
        for folder in sorted((Path.cwd() / "events").iterdir()):
            found = EventAccumulator(str(folder)).Reload()
            tags = found.Tags()["scalars"]
            rows.append({tag: found.Scalars(tag)[-1].value for tag in tags})
        return len(pd.DataFrame(rows))


PEERS = {
    "nbtrack": Nbtrack,
    "trackio": Trackio,
    "mlflow": Mlflow,
    "mlflow-file": MlflowFile,
    "aim": Aim,
    "tensorboard": Tensorboard,
}
# Fewer calls for the slow ones: what counts is the time per call.
N_CALLS = {"nbtrack": 20_000, "trackio": 5_000, "mlflow": 150}


def first_metric(peer: str) -> dict[str, float]:
    """Import, start of a run and the first metric, in a process of its own."""
    tracker = PEERS[peer]()
    tracker.start("first", {"lr": 0.1})
    tracker.log({"loss": 1.0}, 0)
    seconds = time.perf_counter() - STARTED
    tracker.finish()
    return {"seconds": seconds}


def log_call(peer: str) -> dict[str, float]:
    """The median time of one log call with one scalar."""
    tracker = PEERS[peer]()
    tracker.start("calls", {"lr": 0.1})
    tracker.log({"loss": 1.0}, 0)
    times = []
    for step in range(1, N_CALLS[peer]):
        before = time.perf_counter_ns()
        tracker.log({"loss": 0.5}, step)
        times.append(time.perf_counter_ns() - before)
    tracker.finish()
    return {"us": statistics.median(times) / 1000}


def throughput(peer: str) -> dict[str, float]:
    """Points per second, from the first call until everything is stored."""
    tracker = PEERS[peer]()
    tracker.start("flood", {"lr": 0.1})
    tracker.log({"loss": 1.0}, 0)
    n = N_CALLS[peer] * (10 if peer == "nbtrack" else 1)
    before = time.perf_counter()
    for step in range(1, n + 1):
        tracker.log({"loss": 0.5 * step}, step)
    tracker.finish()
    seconds = time.perf_counter() - before
    tracker.close()
    size = sum(f.stat().st_size for f in Path.cwd().rglob("*") if f.is_file())
    return {"points_per_s": n / seconds, "bytes_per_point": size / n}


def training(peer: str) -> dict[str, float]:
    """Time inside log() and of other threads, as a share of a 0.8 ms step."""
    tracker = PEERS[peer]()
    tracker.start("training", {"lr": 0.1})
    names = [f"m{i}" for i in range(5)]
    tracker.log(dict.fromkeys(names, 1.0), 0)
    steps = 100 if peer == "mlflow" else 1500
    inside = 0.0
    own = time.thread_time()
    process = time.process_time()
    begun = time.perf_counter()
    for step in range(1, steps + 1):
        until = time.perf_counter() + 0.0008
        while time.perf_counter() < until:
            pass
        before = time.perf_counter()
        tracker.log(dict.fromkeys(names, step * 0.5), step)
        inside += time.perf_counter() - before
    others = (time.process_time() - process) - (time.thread_time() - own)
    wall = time.perf_counter() - begun
    tracker.finish()
    return {"share": (inside + others) / (steps * 0.0008), "wall_s": wall}


def eight_writers(peer: str) -> dict[str, float]:
    """Wall time of 8 processes with 1,000 points each, after a warm import."""
    import multiprocessing

    PEERS[peer]()
    warm = PEERS[peer]()
    warm.start("warm", {})
    warm.log({"loss": 0.0}, 0)
    warm.finish()
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(9)
    workers = [
        context.Process(target=_writer, args=(peer, i, barrier)) for i in range(8)
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    before = time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - before
    return {"seconds": seconds, "failed": sum(w.exitcode != 0 for w in workers)}


def _writer(peer: str, number: int, barrier: Any) -> None:
    tracker = PEERS[peer]()
    tracker.start(f"writer-{number}", {})
    tracker.log({"loss": 0.0}, 0)
    barrier.wait()
    for step in range(1, 1001):
        tracker.log({"loss": float(step)}, step)
    tracker.finish()


def table(peer: str) -> dict[str, float]:
    """A table of 200 runs x 10 params x 5 metrics, as a DataFrame."""
    tracker = PEERS[peer]()
    for i in range(200):
        tracker.start(f"run-{i}", {f"p{j}": i * j for j in range(10)})
        tracker.log({f"m{j}": i * 0.1 * j for j in range(5)}, 0)
        tracker.finish()
    tracker.table()
    times = []
    for _ in range(5):
        before = time.perf_counter()
        assert tracker.table() == 200
        times.append(time.perf_counter() - before)
    return {"seconds": statistics.median(times)}


def thousand(peer: str) -> dict[str, float]:
    """All of 1,000 runs x 20 params x 5 metrics as a DataFrame, from the second."""
    tracker = PEERS[peer]()
    for i in range(1000):
        tracker.start(f"run-{i}", {f"p{j}": i * j for j in range(20)})
        tracker.log({f"m{j}": i * 0.1 * j for j in range(5)}, 0)
        tracker.finish()
    times = []
    while len(times) < 2 or (sum(times) < 10 and len(times) < 7):
        before = time.perf_counter()
        assert tracker.table() == 1000
        times.append(time.perf_counter() - before)
    return {"seconds": statistics.median(times[1:])}


MEASURES = {
    f.__name__: f
    for f in (
        first_metric, log_call, throughput, training, eight_writers, table, thousand
    )
}  # fmt: skip


def main() -> None:
    peer, measure = sys.argv[1:3]
    # Writers of ours and theirs may still be at work when the figure is known.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        result = MEASURES[measure](peer)
        os.chdir("/")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
