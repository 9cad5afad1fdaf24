"""R21 of a merge: one that is killed leaves whole runs only, and the next goes on."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

import pytest

from nbtrack.store import Store
from nbtrack.tracking.artifacts import api

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
KILLS = 12
RUNS, POINTS, FILE_BYTES = 30, 3_000, 1_200_000

# A process with everything imported forks one that merges, for each line "HERE THERE".
MERGING = """
from nbtrack.store import Store
from nbtrack.store.merge import merging
from nbtrack.tracking.artifacts import api
from faults.children import serve

serve(lambda here, there: Store.open(here).merge(there))
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A store of runs with points, params, tags and a file each."""
    folder = tmp_path_factory.mktemp("there") / ".nbtrack"
    chance = random.Random(0)
    with Store.open(folder) as store:
        for n in range(RUNS):
            run = f"r{n}"
            emit = store.journal.emit
            begun = {"name": run, "started_at": 1.7e9 + n, "tags": {"a": "b"}}
            emit({"kind": "run_started", "run": run, **begun})
            params = [[f"p{i}", i, "literal", None] for i in range(50)]
            emit({"kind": "params", "run": run, "params": params})
            for name in ("loss", "acc"):
                series = store.journal.series(run, name)
                for step in range(POINTS):
                    store.journal.point(series, step, chance.random(), 1.7e9 + step)
            path = folder.parent / "file"
            path.write_bytes(chance.randbytes(FILE_BYTES))
            ref = store.put_file(path)
            files = [["f", ref.digest, ref.size_bytes, None, None]]
            made = {"name": "net", "type": "model", "files": files}
            emit({"kind": "artifact", "run": run, **made})
            emit({"kind": "run_finished", "run": run, "status": "finished"})
        assert store.journal.flush(30)
    return folder


def whole(store: Store, run: str) -> tuple[object, ...]:
    """All that belongs to a run."""
    record = store.run(run)
    curves = [store.curve(run, name) for name in ("loss", "acc")]
    return (
        record,
        [(list(curve.steps), list(curve.values), list(curve.at)) for curve in curves],
        [(use.name, use.version, use.role) for use in store.artifact_uses(run=run)],
    )


def merge_and_kill(zygote, here: Path, there: Path, n_runs: int) -> int:
    """Kill the merge when so many runs are here, or in the next; how many there are."""
    zygote.stdin.write(f"{here} {there}\n")
    zygote.stdin.flush()
    pid = int(zygote.stdout.readline())
    with Store.open(here) as store:
        stop = time.monotonic() + 60
        while len(store.runs()) < n_runs and time.monotonic() < stop:
            time.sleep(0.001)
        time.sleep(random.uniform(0.0, 0.02))
        with suppress(ProcessLookupError):  # it was faster
            os.kill(pid, signal.SIGKILL)
        assert zygote.stdout.readline() == "dead\n"
        return len(store.runs())


def test_r21_a_merge_that_is_killed_leaves_whole_runs(serving, there, tmp_path):
    zygote = serving(MERGING)
    with Store.open(there) as store:
        expected = {run.id: whole(store, run.id) for run in store.runs()}
    assert len(expected) == RUNS
    n_half = 0
    for nth in range(KILLS):
        here = tmp_path / f"here{nth}" / ".nbtrack"
        Store.open(here).close()
        n_here = merge_and_kill(zygote, here, there, random.randrange(RUNS - 5))
        n_half += 0 < n_here < RUNS
        connection = sqlite3.connect(here / "nbtrack.db")
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        connection.close()
        with Store.open(here) as store:
            found = {run.id: whole(store, run.id) for run in store.runs()}
            assert found == {run: expected[run] for run in found}
            assert len(store.artifact_versions()) == len(found)
            assert api.verify(store=store)
            report = store.merge(there)
            assert len(report.new) == RUNS - len(found)
            assert report.n_there == len(found)
            assert {run.id: whole(store, run.id) for run in store.runs()} == expected
            assert api.verify(store=store)
            assert store.artifact("net:latest").ref == f"net:v{RUNS - 1}"
            assert store.merge(there).n_there == RUNS
    assert n_half > KILLS / 4, "the kills came all too early or all too late"
