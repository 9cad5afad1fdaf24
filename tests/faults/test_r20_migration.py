"""R20: a migration that is killed leaves the store old or new, never between."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time

import pytest

from nbtrack.store import Store
from nbtrack.store.schema import APPLICATION_ID, VERSION
from nbtrack.store.schema_v1 import SCHEMA_V1

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]
KILLS = 50
RUNS = 400


@pytest.fixture(scope="module")
def old_store(tmp_path_factory):
    """A store of version 1 with runs, metrics and points in it."""
    import sqlite_utils  # noqa: F401 - so that the children are killed in the migration

    folder = tmp_path_factory.mktemp("old") / ".nbtrack"
    folder.mkdir()
    connection = sqlite3.connect(folder / "nbtrack.db")
    connection.executescript(
        f"{SCHEMA_V1} pragma application_id = {APPLICATION_ID};"
        "pragma user_version = 1; pragma journal_mode = wal;"
    )
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
    connection.close()
    return folder


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


OLD = (1, set(), set())
OF_V2 = {"facts", "texts", "inputs", "media", "cells", "edits"}
OF_V4 = {"artifacts", "artifact_uses", "files", "models", "model_versions"}
NEW_TABLES = OF_V2 | OF_V4 | {"alerts"}
# A version of its own each: every step is whole.
BETWEEN = (
    (2, OF_V2, {"fork_step"}),
    (3, OF_V2, {"fork_step", "grade"}),
    (4, OF_V2 | OF_V4, {"fork_step", "grade"}),
)
NEW = (VERSION, NEW_TABLES, {"fork_step", "grade"})


def test_r20_a_migration_killed_fifty_times_is_old_or_new(old_store, tmp_path):
    seen, longest = set(), 0.04
    for kill in range(3 * KILLS):
        if kill >= KILLS and {1, VERSION} <= seen:
            break
        folder = tmp_path / f"k{kill}" / ".nbtrack"
        shutil.copytree(old_store, folder)
        pid = os.fork()
        if pid == 0:
            Store.open(folder)
            os._exit(0)
        time.sleep(random.uniform(0.0, longest))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        state = state_of(folder)
        assert state in (OLD, *BETWEEN, NEW)
        seen.add(state[0])
        # However long it takes on this machine: from before its start to after its end.
        longest *= 1.0 if VERSION in seen else 1.1
        with Store.open(folder) as store:
            assert len(store.runs()) == RUNS
        assert state_of(folder) == NEW
    assert {1, VERSION} <= seen, "the kills came all too early or all too late"


def test_r20_two_processes_that_upgrade_at_once_do_it_once(old_store, tmp_path):
    folder = tmp_path / ".nbtrack"
    shutil.copytree(old_store, folder)
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            with Store.open(folder) as store:
                os._exit(0 if len(store.runs()) == RUNS else 1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
    assert state_of(folder) == NEW
