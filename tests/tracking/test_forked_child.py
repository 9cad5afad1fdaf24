"""A forked child keeps still, but for a run that it begins itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import nbtrack

pytestmark = pytest.mark.usefixtures("plain_surroundings")

CHILDREN = """
import os, nbtrack
from nbtrack.tracking.session import process_session

def in_child(work):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0

def logs():
    nbtrack.log(loss=9.0)
    run.log(loss=9.0)
    run.finish()

def has_a_run():
    with nbtrack.start("of the child", params={"a": 1}) as own:
        for n in range(5):
            nbtrack.log(loss=float(n))
        own.checkpoint({"w": 1}, name="mlp")
        with nbtrack.start("fold") as fold:
            fold.log(acc=1.0)

def has_none():
    assert nbtrack.current() is None

with nbtrack.start("base") as run:
    run.log(loss=0.0)
    in_child(logs)
    in_child(has_a_run)
    run.log(loss=1.0)
    with process_session().begin("trial", beside=True):
        in_child(has_none)
        nbtrack.log(acc=1.0)
"""


def test_a_child_may_have_a_run_of_its_own_and_touches_no_other(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", CHILDREN],
        env={**os.environ, "NBTRACK_STORE": str(tmp_path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    said = [x for x in done.stderr.splitlines() if "new store" not in x]
    assert (done.returncode, done.stdout, said) == (0, "", [])
    with nbtrack.open(tmp_path) as store:
        runs = {run.name: run for run in store.runs()}
        assert {n: r.status for n, r in runs.items()} == dict.fromkeys(
            ("base", "of the child", "fold", "trial"), "finished"
        )
        assert list(store.curve(runs["base"].id, "loss").values) == [0.0, 1.0]
        assert list(runs["trial"].metrics) == ["acc"]
        own = runs["of the child"]
        assert (own.metrics["loss"].n, own.params["a"].value) == (5, 1)
        assert (own.parent, len(own.checkpoints)) == (None, 1)
        assert runs["fold"].parent == own.id
