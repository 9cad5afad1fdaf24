"""R20: a migration that is killed leaves the store old or new, never between."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time

import pytest
from past_stores import PAST, past_store

from nbtrack.errors import StoreError
from nbtrack.store import Store
from nbtrack.store.schema import VERSION

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
KILLS = 50
RUNS = 400
# Since version 4 a checkpoint is a version of an artifact that a run logged.
ARTIFACT = """
  insert into artifacts(id, name, type, created_at)
    values (1, 'mlp', 'checkpoint', '2026-11-01T00:00:00Z');
  insert into artifact_versions(id, artifact, version, digest, size_bytes, n_files,
    created_at) values (1, 1, 1, 'aa', 5, 1, '2026-11-01T00:00:00Z');
"""
USE = (
    "insert into artifact_uses(run, version, role, path, at)"
    " values (?, 1, 'output', 'mlp.pt', '2026-11-01T00:00:00Z')"
)
CHECKPOINT = (
    "insert into checkpoints(run, name, version, type, digest, size_bytes, path,"
    " metrics, created_at) values"
    " (?, 'mlp', 1, 'checkpoint', 'aa', 5, 'mlp.pt', '{}', '2026-11-01T00:00:00Z')"
)


def old_store(folder, version):
    """A store of that version with runs, metrics and checkpoints in it."""
    artifact = ARTIFACT if version >= 4 else ""
    path = past_store(folder, version, f"pragma journal_mode = wal; {artifact}")
    connection = sqlite3.connect(path)
    with connection:
        for n in range(RUNS):
            connection.execute(
                "insert into runs(id, name, experiment, status, started_at)"
                " values (?, 'base', 'x', 'finished', '2026-11-01T00:00:00Z')",
                (f"r{n}",),
            )
            connection.execute(
                "insert into metrics(run, name, n, last, last_step)"
                " values (?, 'loss', 1, 0.5, 0)",
                (f"r{n}",),
            )
            connection.execute(USE if version >= 4 else CHECKPOINT, (f"r{n}",))
    connection.close()
    return folder


@pytest.fixture(scope="module")
def old_stores(tmp_path_factory):
    """One of each past version."""
    import sqlite_utils  # noqa: F401 - so that the children are killed in the migration

    folder = tmp_path_factory.mktemp("old")
    return {v: old_store(folder / f"v{v}" / ".nbtrack", v) for v in PAST}


def state_of(folder):
    """The version that is stamped, and the tables and columns that came since v1."""
    connection = sqlite3.connect(folder / "nbtrack.db")
    try:
        version = connection.execute("pragma user_version").fetchone()[0]
        names = {
            name for (name,) in connection.execute("select name from sqlite_master")
        }
        columns = {row[1] for row in connection.execute("pragma table_info('runs')")}
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()
    return version, NEW_TABLES & names, {"fork_step", "grade"} & columns


OF_V2 = {"facts", "texts", "inputs", "media", "cells", "edits"}
OF_V4 = {"artifacts", "artifact_uses", "files", "models", "model_versions"}
NEW_TABLES = OF_V2 | OF_V4 | {"alerts"}
# Of each version: its tables, and its columns, that came since the first.
STATES = {
    1: (set(), set()),
    2: (OF_V2, {"fork_step"}),
    3: (OF_V2, {"fork_step", "grade"}),
    4: (OF_V2 | OF_V4, {"fork_step", "grade"}),
    5: (NEW_TABLES, {"fork_step", "grade"}),
}
NEW = (VERSION, *STATES[VERSION])


def test_r20_each_past_version_has_its_file_here():
    assert list(PAST) == list(range(1, VERSION))
    assert list(STATES) == list(range(1, VERSION + 1))


@pytest.mark.parametrize("version", PAST)
def test_r20_a_migration_killed_fifty_times_is_old_or_new(
    old_stores, tmp_path, version
):
    seen, longest = set(), 0.04
    for kill in range(3 * KILLS):
        if kill >= KILLS and {version, VERSION} <= seen:
            break
        folder = tmp_path / f"k{kill}" / ".nbtrack"
        shutil.copytree(old_stores[version], folder)
        pid = os.fork()
        if pid == 0:
            Store.open(folder)
            os._exit(0)
        time.sleep(random.uniform(0.0, longest))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        state = state_of(folder)
        assert state[1:] == STATES[state[0]]
        assert state[0] >= version
        seen.add(state[0])
        # However long it takes on this machine: from before its start to after its end.
        longest *= 1.0 if VERSION in seen else 1.1
        with Store.open(folder) as store:
            runs = store.runs()
            assert len(runs) == RUNS
            assert runs[0].metrics["loss"].last == 0.5
            assert [c.digest for c in store.run("r7").checkpoints] == ["aa"]
        assert state_of(folder) == NEW
    assert {version, VERSION} <= seen, "the kills came all too early or all too late"


def test_r20_two_processes_that_upgrade_at_once_do_it_once(old_stores, tmp_path):
    folder = tmp_path / ".nbtrack"
    shutil.copytree(old_stores[1], folder)
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            with Store.open(folder) as store:
                os._exit(0 if len(store.runs()) == RUNS else 1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    assert state_of(folder) == NEW


def test_r20_a_newer_file_is_only_read_and_says_so(tmp_path, capsys):
    with Store.open(tmp_path) as store:
        store.journal.emit({"kind": "run_started", "run": "r", "name": "r"})
        assert store.journal.flush()
    connection = sqlite3.connect(tmp_path / ".nbtrack" / "nbtrack.db")
    connection.execute(f"pragma user_version = {VERSION + 1}")
    connection.close()
    body = (tmp_path / ".nbtrack" / "nbtrack.db").read_bytes()
    with Store.open(tmp_path) as store:
        assert [run.name for run in store.runs()] == ["r"]
        store.journal.emit({"kind": "run_started", "run": "new"})
        with pytest.raises(StoreError, match="Upgrade nbtrack to write to it"):
            store.edit({"kind": "tags", "run": "r", "set": {"a": None}})
        assert store.journal.dropped == 1
    assert capsys.readouterr().err.count("Upgrade nbtrack to write to it") == 1
    assert (tmp_path / ".nbtrack" / "nbtrack.db").read_bytes() == body
