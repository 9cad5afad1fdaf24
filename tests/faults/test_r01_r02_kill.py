"""R1, R2: a point is safe from kill -9 when the call returned; never a hole."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from examples import often

from faults.children import Acknowledged
from nbtrack.store import Store

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.mark.parametrize("kills", often(100, 200))
def test_r01_r02_killed_a_hundred_times_nothing_that_returned_is_lost(
    tmp_path, child, killed, kills
):
    zygote = child("zygote")
    lost = []
    for kill in range(kills):
        store, ack = tmp_path / f"s{kill}", tmp_path / f"ack{kill}"
        done = killed(zygote, store, ack, (0.005, 0.12))
        lost.append(check_one(store, done))
    assert lost == [(0, 0)] * kills


@pytest.mark.parametrize("kills", often(40, 100))
def test_r02_points_that_log_took_are_a_whole_beginning(
    tmp_path, serving, killed, kills
):
    """Through `Run.log`, as a training does, with a metric of its own per thousand."""
    zygote = serving(LOGGING)
    for kill in range(kills):
        path, ack = tmp_path / f"s{kill}", tmp_path / f"ack{kill}"
        done = killed(zygote, path, ack, (0.005, 0.12))
        with Store.open(path) as store:
            [run] = store.runs()
            assert (run.status, run.reason) == ("crashed", "process gone")
            steps = [
                step
                for metric in sorted(run.metrics, key=lambda name: int(name[1:]))
                for step in store.curve(run.id, metric).steps
            ]
        assert steps == list(range(len(steps)))
        assert len(steps) >= done.get()


LOGGING = """
import os
import nbtrack
from faults.children import Acknowledged, serve

def log_for_ever(store, ack):
    done = Acknowledged(ack)
    os.environ["NBTRACK_STORE"] = store
    os.environ["NBTRACK_OFF"] = "code environment system rng"
    run, n = nbtrack.start("base"), 0
    while True:
        run.log({f"m{n // 1000}": float(n)}, step=n)
        n += 1
        done.set(n)

serve(log_for_ever)
"""


def check_one(path, done):
    """How many points that returned, and that were committed, are not there."""
    with Store.open(path) as store:
        curve = store.curve("r", "loss")
        n = len(curve)
        assert list(curve.steps) == list(range(n)), "a hole"
        assert list(curve.values) == [float(i) for i in range(n)]
        assert store.run("r").status == "crashed"
        assert store.run("r").metrics["loss"].n == n
        assert os.listdir(store.path / "journal") == []
        assert store.sql("select count(*) from points")[1] == [(n,)]
        return max(0, done.get() - n), max(0, done.get(1) - n)


def test_r02_a_kill_during_recovery_changes_nothing(tmp_path, child, until):
    """Taking over is the same exactly-once step, however often it is cut short."""
    ack = tmp_path / "ack"
    done = Acknowledged(str(ack))
    process = child("steady", tmp_path, ack)
    until(lambda: done.get() > 300)
    process.kill()
    process.wait()
    expected = done.get()
    for _ in range(5):
        pid = os.fork()
        if pid == 0:
            Store.open(tmp_path)
            os._exit(0)
        time.sleep(random.uniform(0.0, 0.01))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with Store.open(tmp_path) as store:
        n = len(store.curve("r", "loss"))
        assert n in (expected, expected + 1)
        assert store.run("r").metrics["loss"].n == n
