"""R21: a version is whole or absent, wherever in `log_artifact` the process died."""

from __future__ import annotations

import shutil

import pytest

from nbtrack.store import Store
from nbtrack.tracking.artifacts import api

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KILLS = 50

# A process with everything imported forks one that logs, for each line "STORE ACK".
LOGGING = """
import os
import nbtrack
import nbtrack.tracking.artifacts.keeping
from faults.children import Acknowledged, serve

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

serve(log_for_ever)
"""


def test_r21_killed_fifty_times_every_version_that_is_listed_is_whole(
    tmp_path, serving, killed
):
    zygote, found = serving(LOGGING), []
    for kill in range(KILLS):
        store, ack = tmp_path / f"s{kill}", tmp_path / f"ack{kill}"
        done = killed(zygote, store, ack, (0.0, 0.15))
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
