"""R21: a version is whole or absent, wherever in `log_artifact` the process died."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults.children import Acknowledged
from nbtrack.store import Store
from nbtrack.tracking.artifacts import api

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KILLS = 50

# A process with everything imported forks one that logs, for each line "STORE ACK".
LOGGING = """
import os, sys
import nbtrack
import nbtrack.tracking.artifacts.keeping
from faults.children import Acknowledged

def log_for_ever(store, ack):
    done = Acknowledged(ack)
    os.environ["NBTRACK_STORE"] = store
    os.environ["NBTRACK_OFF"] = "code environment system rng"
    work = store + "-work"
    os.makedirs(work + "/data", exist_ok=True)
    run = nbtrack.start("base")
    n = 0
    while True:
        run.log(val_loss=1 / (n + 1))
        for name in ("data/large", "data/small", "file"):
            size = 3 << 20 if name == "data/large" else 1 << 16
            with open(f"{work}/{name}", "wb") as file:
                file.write(os.urandom(size))
        for what in (work + "/data", work + "/file", {"n": n}):
            assert run.log_artifact(what, f"x{n % 3}").is_kept
            n += 1
            done.set(n)

for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        log_for_ever(*line.split())
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("dead", flush=True)
"""


@pytest.fixture
def zygote():
    tests = str(Path(__file__).parent.parent)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", LOGGING],
        env={**os.environ, "PYTHONPATH": tests},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


def test_r21_killed_fifty_times_every_version_that_is_listed_is_whole(
    tmp_path, zygote, until
):
    found = []
    for kill in range(KILLS):
        store, ack = tmp_path / f"s{kill}", tmp_path / f"ack{kill}"
        store.mkdir()
        done = Acknowledged(str(ack))
        zygote.stdin.write(f"{store} {ack}\n")
        zygote.stdin.flush()
        pid = int(zygote.stdout.readline())
        until(lambda done=done: done.get() > 0)
        time.sleep(random.uniform(0.0, 0.15))
        os.kill(pid, signal.SIGKILL)
        assert zygote.stdout.readline() == "dead\n"
        found.append(check_one(store, done.get()))
        shutil.rmtree(store)
        shutil.rmtree(f"{store}-work")
    assert found == [("crashed", True, 0)] * KILLS


def check_one(path, n_acknowledged):
    """The status of the run; whether all is whole; how many that returned are gone."""
    with Store.open(path) as store:
        [run] = store.runs()
        versions = store.artifact_versions(run=run.id)
        verified = api.verify(store=store)
        for record in versions[-3:]:
            assert api.get(record.ref, store=store).exists()
        assert verified.n_versions == len(versions)
        return run.status, bool(verified), max(0, n_acknowledged - len(versions))
