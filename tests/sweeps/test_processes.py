"""Trials in processes of their own: the same numbers, nothing lost, nothing left."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from IPython.core.error import UsageError

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.slices.segments import Segment
from nbtrack.sweeps import rehearsal
from nbtrack.sweeps.job import Stage
from nbtrack.sweeps.processes import WorkerPool

pytest.importorskip("optuna")
pytestmark = [
    pytest.mark.reproduce,
    pytest.mark.usefixtures("plain_surroundings", "studies", "without_torch"),
]

NET = """\
import random
class Net:
    def __init__(self):
        self.w = [random.random() for _ in range(3)]
    def step(self, lr):
        self.w = [w - lr * w + random.random() / 9 for w in self.w]
        return sum(self.w)
"""
TRAIN = "lr, x = .5, 0\nfor i in range(3):\n    loss = model.step(lr)"


def points(run):
    return list(nbtrack.open().curve(run, "loss").values)


def children():
    """The processes of sweeps that are left."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            told = Path("/proc", pid, "environ").read_bytes()
        except OSError:
            continue
        if f"NBTRACK_SWEEP_OF={os.getpid()}".encode() in told.split(b"\0"):
            found.append(int(pid))
    return found


def test_a_model_of_an_earlier_cell_is_fresh_in_every_trial(ip, swept):
    """Trial 2 equals trial 1 with the same values, bit for bit; so it does in the cell
    itself, run once in the kernel behind all of them."""
    ip.run_cell(NET)
    ip.run_cell("random.seed(5)\nmodel = Net()")
    found = swept("lr=[.5] x=[0, 1] --sampler grid --metric loss:min", TRAIN)
    assert [row.status for row in found.rows] == ["finished"] * 2
    first, again = (points(row.run) for row in found.rows)
    assert first == again
    ip.run_cell(f"%%track --no-live\n{TRAIN}")
    assert points(nbtrack.runs(last=1)["id"].iloc[0]) == first
    assert children() == []


def test_clean_trials_share_workers_after_the_first_was_proven(ip, swept):
    ip.run_cell("data = [1, 2, 3]\nimport os, random")
    cell = (
        "lr = .5\nfor i in range(2):\n    loss = lr * sum(data) + random.random()\n"
        "pid = os.getpid(); print('in', pid)"
    )
    ip.run_cell(cell)
    found = swept("lr=uniform(0,1) --n 7 --metric loss:min --parallel 2", cell)
    assert found.n_done == 7
    assert not [note for note in found.notes if "differ" in note]
    where = [nbtrack.logs(row.run) for row in found.rows]
    assert str(os.getpid()) in where[0]
    assert len(set(where[1:])) == 2
    values = [row.labels["lr"] for row in found.rows]
    assert len(set(values)) == 7
    noise = {round(r.value - r.labels["lr"] * 6, 9) for r in found.rows}
    assert len(noise) == 1  # each began from the same random state
    assert children() == []


def test_a_cell_that_gives_other_numbers_elsewhere_stays_in_the_kernel(ip, swept):
    ip.run_cell("import os")
    cell = "lr = 1\nfor i in range(2):\n    loss = lr * os.getpid()"
    found = swept("lr=[1, 2, 3] --sampler grid --metric loss:min --parallel 2", cell)
    assert [row.value for row in found.rows] == [os.getpid() * lr for lr in (1, 2, 3)]
    assert "does not give the same" in found.notes[0]
    assert f"loss at step 0 is {float(os.getpid())}, in the replay" in found.notes[0]


def test_files_of_trials_that_run_side_by_side_do_not_meet(ip, swept):
    ip.run_cell("import time, json, pathlib\npathlib.Path('in.txt').write_text('7')")
    cell = (
        "lr = 1\nfor i in range(2):\n"
        "    loss = lr * int(pathlib.Path('in.txt').read_text())\n"
        "    pathlib.Path('best.json').write_text(str(lr))\n    time.sleep(.2)\n"
        "final_loss = float(pathlib.Path('best.json').read_text())"
    )
    found = swept("lr=[1, 2, 3, 4, 5] --sampler grid --metric loss:min --parallel 2",
                  cell)  # fmt: skip
    frame = nbtrack.runs().sort_values("params.lr")
    assert found.n_done == 5
    assert "each trial wrote best.json in a folder of its own" in found.notes[-1]
    assert frame["best.loss"].tolist() == [7 * i for i in range(1, 6)]


@pytest.mark.faults
def test_a_worker_that_is_killed_costs_its_trial_alone(ip, swept, monkeypatch):
    ip.run_cell("import time")
    cell = "lr = 1\nfor i in range(60):\n    loss = lr + i\n    time.sleep(.02)"
    pools = []
    real = rehearsal.pool_of

    def noted(*args, **kwargs):
        pools.append(real(*args, **kwargs))
        return pools[-1]

    monkeypatch.setattr(rehearsal, "pool_of", noted)

    def kill_one():
        while True:
            frame = nbtrack.runs("tags.trial == '2' and status == 'running'")
            busy = [w for p in pools for w in p._workers if w.task and w.run]
            busy = [w for w in busy if w.task.number == 2]
            if len(frame) and busy:
                time.sleep(0.6)
                os.kill(busy[0].pid, signal.SIGKILL)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    found = swept("lr=[1, 2, 3, 4] --sampler grid --metric loss:min --parallel 2", cell)
    killer.join(5)
    crashed = [row for row in found.rows if row.status == "crashed"]
    assert [row.labels["lr"] for row in crashed] == [3]
    assert sorted(r.labels["lr"] for r in found.rows if r.status == "finished") == [
        1, 2, 3, 4,
    ]  # fmt: skip
    record = nbtrack.open().run(crashed[0].run)
    assert record.status == "crashed"
    assert record.metrics["loss"].n > 0
    assert found.n_done == 4
    assert children() == []


def test_pruning_reaches_a_worker(ip, swept):
    ip.run_cell("import time")
    cell = "q = 1\nfor i in range(9):\n    loss = q + i / 100\nlast = i"
    # The good ones are so close that none of them is pruned at its last point.
    line = "q=[0,.01,.02,.015,.005,7,8,9] --sampler grid --metric loss:min --prune"
    found = swept(f"{line} --parallel 2", cell)
    pruned = [row for row in found.rows if row.status == "pruned"]
    assert {8, 9} <= {row.labels["q"] for row in pruned}
    assert all(nbtrack.open().run(row.run).metrics["loss"].n < 9 for row in pruned)


def test_a_function_runs_in_workers_and_prints_to_its_run():
    pytest.importorskip("cloudpickle")
    scale = 3

    def train(x):
        print("x is", x)
        return x * scale

    found = nbtrack.sweep(
        train, {"x": [1, 2, 3, 4]}, metric="z:max", sampler="grid", parallel=2
    )
    assert found.best.value == 12
    assert "x is 4" in nbtrack.logs(found.best.run)
    assert children() == []


def test_a_function_that_cannot_be_sent_is_refused_before_the_first_trial():
    pytest.importorskip("cloudpickle")
    lock = threading.Lock()

    def train(x):
        with lock:
            return x

    with pytest.raises(OptionError, match=r"train\(\) cannot be sent .*lock"):
        nbtrack.sweep(train, {"x": [1, 2]}, metric="z:max", parallel=2)
    assert nbtrack.runs().empty


def test_what_a_worker_cannot_run_is_said_with_the_variable(ip, swept):
    ip.run_cell("def ask():\n    return [1.0]")
    ip.user_ns["typed"] = [1.0]
    cell = "lr = 1\nfor i in range(2):\n    loss = lr + typed[0]"
    with pytest.raises(UsageError, match="typed: no cell that was seen sets it"):
        swept("lr=[1, 2] --sampler grid --metric loss:min", cell)


def test_a_pool_is_ready_when_the_cells_before_the_trials_have_written(ip, tmp_path):
    """Else they write under a first trial in the kernel, which is blamed for it."""
    file = tmp_path / "in.txt"
    source = f"import time\ntime.sleep(.3)\nopen({str(file)!r}, 'w').write('7')"
    stage = Stage(store="/nowhere", segments=(Segment("cell 1", source),))
    pool = WorkerPool(stage, n=1, fresh=False,
                      environment=os.environ, folder=str(tmp_path))  # fmt: skip
    pool.until_ready()
    assert file.read_text() == "7"
    pool.close()


def test_closing_a_pool_leaves_no_process_and_no_folder(ip):
    pool = WorkerPool(Stage(store="/nowhere"), n=2, fresh=False,
                      environment=os.environ, folder=os.getcwd())  # fmt: skip
    pids, root = pool.pids(), pool._root
    pool.close()
    assert not any(Path("/proc", str(pid)).exists() for pid in pids)
    assert not root.exists()
