"""R22: a sweep whose process is killed goes on to its end: no trial is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nbtrack

optuna = pytest.importorskip("optuna")
pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

ALIVE_S = 20  # for workers to notice that nobody waits for them
SWEEP = """
import os, sys, time
import nbtrack
from nbtrack.store import Store

def train(x):
    for step in range(4):
        time.sleep(0.03)
        nbtrack.log(loss=x + 1 / (step + 1))

def swept(parallel, resume=None, name="it"):
    return nbtrack.sweep(
        train, {"x": "uniform(0, 1)"}, metric="loss:min", n=20, seed=11,
        sampler="random", parallel=parallel, name=name, resume=resume)
"""


@pytest.fixture
def killed_after(tmp_path, store_path, monkeypatch):
    """Start the sweep in a process and kill -9 it once so many trials have ended."""
    monkeypatch.setenv("NBTRACK_OFF", "code environment system")
    (tmp_path / "swept.py").write_text(SWEEP)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    def kill(n, parallel):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c",
             f"import swept; swept.swept({parallel})"],
            env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            while len(nbtrack.runs("status == 'finished'")) < n:
                assert process.poll() is None
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return process.pid

    yield kill
    sys.modules.pop("swept", None)


def workers_of(pid: int) -> list[str]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            told = Path("/proc", name, "environ").read_bytes()
        except OSError:
            continue
        if f"NBTRACK_SWEEP_OF={pid}".encode() in told.split(b"\0"):
            found.append(name)
    return found


@pytest.mark.parametrize("parallel", [1, 2])
def test_r22_a_killed_sweep_resumes_at_seven_of_twenty(
    killed_after, parallel, store_path
):
    pid = killed_after(7, parallel)
    until = time.monotonic() + ALIVE_S
    while workers_of(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert workers_of(pid) == []

    import swept

    found = swept.swept(parallel, resume="last")
    assert (found.state, found.n_done) == ("finished", 20)
    nbtrack.open().recover()
    frame = nbtrack.runs("tags.sweep == 'it'")
    counts = frame["status"].value_counts().to_dict()
    assert counts.pop("finished") == 20
    assert counts.keys() <= {"crashed"}
    assert counts.get("crashed", 0) <= 2 * parallel
    done = frame[frame["status"] == "finished"]
    assert done["params.x"].nunique() == 20

    address = f"sqlite:///{store_path / 'sweeps.db'}"
    study = optuna.load_study(study_name="it", storage=address)
    states = [trial.state.name for trial in study.trials]
    assert states.count("COMPLETE") == 20
    assert "RUNNING" not in states
    if parallel == 1:  # and what was drawn is what would have been drawn
        values = {row.labels["x"] for row in found.rows if row.status == "finished"}
        whole = swept.swept(1, name="whole")
        assert values == {row.labels["x"] for row in whole.rows}
