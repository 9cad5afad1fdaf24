"""Sweeps on a real Dask cluster of processes: what comes back, and what goes wrong."""

from __future__ import annotations

import random
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

import nbtrack
from nbtrack.errors import OptionError, RunNotFoundError, SweepError
from nbtrack.notebook.sweep_magic import asked_of
from nbtrack.slices.compare import compare_runs
from nbtrack.sweeps.cluster import ClusterExecutor
from nbtrack.sweeps.cluster_client import client_of, ready_workers
from nbtrack.sweeps.launch import launch_cell
from nbtrack.sweeps.processes import stage_of_function
from nbtrack.sweeps.trial import Task

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.reproduce,
    pytest.mark.usefixtures("plain_surroundings", "studies", "without_torch"),
]
LONGEST_S = 30


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process; started once, for it takes seconds."""
    # In a process of pytest-xdist `__main__` was read from a pipe: nothing to import.
    vars(sys.modules["__main__"]).setdefault("__spec__", None)
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
    ) as made:
        yield made


@pytest.fixture(scope="module")
def client(cluster):
    with distributed.Client(cluster, set_as_default=False) as made:
        yield made


@pytest.fixture
def sweep(client):
    """`sweep(function, space)` on the cluster, by the whole grid."""

    def run(function, space, **about):
        about = {"metric": "loss:min", "sampler": "grid", "cluster": client, **about}
        return nbtrack.sweep(function, space, **about)

    return run


@pytest.fixture
def meanwhile():
    """Calls something in a thread while the test goes on; it must come to its end."""
    threads = []

    def run(call):
        threads.append(threading.Thread(target=call))
        threads[-1].start()

    yield run
    for thread in threads:
        thread.join(LONGEST_S)
        assert not thread.is_alive()


def wait_for(found):
    """What `found()` gives, once it gives something."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        result = found()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError("it did not come")


def run_with_points(store, name, n):
    """The run of that name once it has that many points of its loss."""
    try:
        run = store.run(name)
    except RunNotFoundError:
        return None
    return run if "loss" in run.metrics and run.metrics["loss"].n >= n else None


def test_a_trial_on_the_cluster_gives_what_it_gives_in_the_kernel(sweep, store, client):
    def train(lr):
        import random

        import nbtrack

        for epoch in nbtrack.epochs(5):
            nbtrack.log(loss=lr * random.random() ** epoch)
        nbtrack.current().tag("kind", model="mlp")
        nbtrack.current().log_params({"opt": {"lr": lr}})

    random.seed(7)  # trials begin with the generators of the launching session
    there = sweep(train, {"lr": [0.1, 0.3]}, name="there")
    random.seed(7)
    here = sweep(train, {"lr": [0.1, 0.3]}, name="here", cluster=None)
    for one, other in zip(there.rows, here.rows, strict=True):
        theirs, ours = store.run(one.run), store.run(other.run)
        assert compare_runs((store, theirs), (store, ours)).reason == ""
        assert theirs.params == ours.params
        assert dict(theirs.tags) == {**ours.tags, "sweep": "there"}
        assert theirs.metrics["loss"].n == 5
        assert theirs.metrics["loss"].goal == "min"
        axes = [store.curve(run.id, "loss").axes["epoch"] for run in (theirs, ours)]
        assert axes[0] == axes[1]
    assert [row.status for row in there.rows] == ["finished"] * 2
    assert client.status == "running"  # it was given, and stays open


def test_points_are_here_while_the_trial_runs_and_files_at_its_end(
    sweep, store, tmp_path, meanwhile
):
    seen, weights = tmp_path / "seen", tmp_path / "best.txt"

    def train(lr):
        import time

        import nbtrack

        nbtrack.log(loss=lr, step=0)
        while not seen.exists():
            time.sleep(0.02)
        weights.write_text(f"weights of {lr}")
        nbtrack.current().checkpoint(weights, step=0)

    statuses = []

    def look():
        found = wait_for(lambda: run_with_points(store, "live #0", 1))
        statuses.append((found.status, found.params["lr"].value))
        seen.touch()

    meanwhile(look)
    found = sweep(train, {"lr": [0.5]}, name="live", n=1)
    assert statuses == [("running", 0.5)]
    run = store.run(found.best.run)
    [kept] = run.checkpoints
    assert (run.status, kept.name, kept.step) == ("finished", "best", 0)
    assert nbtrack.artifacts.get("best:v0").read_text() == "weights of 0.5"


@pytest.mark.faults
def test_a_killed_worker_costs_the_tail_of_its_trial_and_not_the_sweep(
    sweep, store, tmp_path
):
    pids = tmp_path / "pids"

    def train(lr):
        import os
        import signal
        import time

        import nbtrack

        for step in range(3):
            nbtrack.log(loss=lr, step=step)
        if not pids.exists():
            pids.write_text(str(os.getpid()))
            time.sleep(1)  # so long does it take until points are on their way
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)

    found = sweep(train, {"lr": [0.5]}, name="killed", n=1)
    assert [row.status for row in found.rows] == ["crashed", "finished"]
    first, second = (store.run(row.run) for row in found.rows)
    assert (first.status, first.metrics["loss"].n) == ("crashed", 3)
    assert (second.status, second.metrics["loss"].n) == ("finished", 3)
    assert len(store.runs()) == 2  # Dask began the task once more, and was told no
    wait_for(lambda: not Path(f"/proc/{pids.read_text()}").exists())


def test_the_stop_button_of_a_trial_reaches_it(sweep, store, meanwhile):
    def train(lr):
        import time

        import nbtrack

        for step in range(3_000):
            nbtrack.log(loss=lr, step=step)
            time.sleep(0.02)

    asked = []

    def press():
        run = wait_for(lambda: run_with_points(store, "long #0", 1))
        store.control(run.id, "stop", by="the panel")
        asked.append(time.monotonic())

    meanwhile(press)
    found = sweep(train, {"lr": [0.5]}, name="long", n=1)
    assert time.monotonic() - asked[0] < 5
    [run] = store.runs()
    assert (run.status, found.rows[0].status) == ("stopped", "stopped")


def test_a_trial_is_pruned_by_what_is_answered_to_its_points(client, store):
    def train(x):
        import nbtrack

        for step in range(10):
            nbtrack.log(loss=x, step=step)

    asked = asked_of("x=[1] --metric loss:min", "", {"c": client})
    stage = stage_of_function(train, asked, store, lambda task: task.labels)
    executor = ClusterExecutor(client, stage, n=1)
    points = []

    def report(number, step, value):
        points.append((number, step, value))
        return step == 3

    task = Task("s", 0, asked.aim, {"x": 2}, "", prunes=True)
    executor.start(task, report=report, began=lambda number, run: None)
    outcome = wait_for(lambda: executor.wait(1))
    executor.close()
    assert points == [(0, step, 2.0) for step in range(4)]
    assert outcome.status == store.run(outcome.run).status == "pruned"


CELL = """
lr = 1
total = sum(data) * lr
for epoch in range(3):
    loss = total / (epoch + 1)
"""


def test_a_cell_is_proven_in_the_kernel_and_goes_to_the_cluster(ip, swept, client):
    ip.run_cell("data = (1, 2, 3)")  # nothing to rehearse
    ip.user_ns["workers"] = client
    found = swept("lr=[.1, .2] --sampler grid --cluster workers", CELL)
    assert [row.status for row in found.rows] == ["finished"] * 2
    assert [row.value for row in found.rows] == pytest.approx([0.2, 0.4])
    assert found.notes == []
    with nbtrack.open() as store:
        first, *others = (store.run(row.run) for row in found.rows)
        sessions = store.sql("select count(distinct session) from runs")[1]
    assert sessions == [(2,)]  # the kernel's, and that of a process
    assert {run.experiment for run in others} == {first.experiment}


def test_a_sweep_beside_the_kernel_is_stopped(ip, client, store):
    cell = (
        "import time\nlr = 1\nfor i in range(3000):\n    loss = lr / (i + 1)\n"
        "    time.sleep(.02)\n"
    )
    asked = asked_of("lr=[1, 2] --cluster c", cell, {"c": client})
    assert asked.parallel == 0  # as many as there are workers
    found = launch_cell(cell, replace(asked, background=True))
    wait_for(lambda: run_with_points(store, "sweep-1 #0", 1))
    found.stop()
    assert found.wait(LONGEST_S)
    assert (found.state, found.error) == ("stopped", None)
    assert {run.status for run in store.runs()} == {"stopped"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "cluster is 3: give a client"),
        ("somewhere", "address of a scheduler"),
    ],
)
def test_what_is_no_cluster_is_said(given, words):
    with pytest.raises(OptionError, match=words):
        nbtrack.sweep(lambda x: x, {"x": [1]}, metric="z:min", cluster=given)


def test_a_scheduler_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setattr("nbtrack.sweeps.cluster_client.CONNECT_S", 0.3)
    with pytest.raises(SweepError, match="No Dask scheduler answers at tcp"):
        client_of("tcp://127.0.0.1:9")


def test_a_cluster_without_workers_is_said():
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, dashboard_address="127.0.0.1:0"
        ) as empty,
        distributed.Client(empty, set_as_default=False) as client,
        pytest.raises(SweepError, match=r"No worker .* came within 0 s"),
    ):
        ready_workers(client, 0.3)


def test_workers_without_nbtrack_are_named(client):
    def hide():
        import sys

        sys.kept = sys.modules["nbtrack"]
        sys.modules["nbtrack"] = None

    def show():
        import sys

        sys.modules["nbtrack"] = sys.kept

    client.run(hide)
    try:
        with pytest.raises(SweepError, match="has no nbtrack"):
            ready_workers(client, 1)
    finally:
        client.run(show)
    assert ready_workers(client, 1) >= 1  # one may have been killed just now


def test_a_function_that_cannot_be_sent_is_said(sweep):
    lock = threading.Lock()
    with pytest.raises(OptionError, match="cannot be sent to another process"):
        sweep(lambda x: lock and x, {"x": [1]})


def test_a_module_that_workers_lack_is_said(sweep, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("def train(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    with pytest.raises(SweepError, match="No module named 'only_here'"):
        sweep(only_here.train, {"x": [1]}, n=1)
    del sys.modules["only_here"]


def test_a_name_that_is_no_variable_is_said():
    with pytest.raises(OptionError, match="there is no such variable"):
        asked_of("lr=[1] --cluster workers", "loss = lr", {})
