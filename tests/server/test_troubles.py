"""Stores that cannot be read, or not written: each says so, the others go on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time

import pytest
from server.filled import SOME_ID, started

from nbtrack.analysis.edits import Changes
from nbtrack.errors import RunNotFoundError, StoreError, StoreTooNewError
from nbtrack.server import stores as stores_module
from nbtrack.server.answers import run_edits, run_list, store_list
from nbtrack.server.desk import Desk
from nbtrack.server.stores import Session
from nbtrack.store.followed import FollowedStore
from nbtrack.store.registry import store_id

OTHER_ID = "1" * 13
SESSIONS = [Session("a/n.ipynb", "k1"), Session("b/n.ipynb", "k2")]


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.delenv("NBTRACK_STORE", raising=False)
    with started(tmp_path / "a"), started(tmp_path / "b", run=OTHER_ID, name="other"):
        pass
    return tmp_path


@pytest.fixture
def desk(root):
    desk = Desk(root)
    yield desk
    desk.stores.close()


def looked(desk):
    """Names of runs, states of stores and what is said, as two requests have them."""
    desk.stores.look(SESSIONS)
    listed = run_list.runs(desk, run_list.Question(10))
    stores = store_list.stores(desk)["stores"]
    names = [row["name"] for row in listed["runs"]]
    states = {row["name"]: row["state"] for row in stores}
    said = {problem["store"]: problem["message"] for problem in listed["problems"]}
    assert said == {r["name"]: r["message"] for r in stores if r["state"] == "problem"}
    return names, states, said


def waited(desk, monkeypatch):
    """As if the time until the next try was over."""
    monkeypatch.setattr(stores_module.time, "monotonic", lambda: time.perf_counter_ns())


def test_all_is_well_with_two_sound_stores(desk):
    names, states, said = looked(desk)
    assert sorted(names) == ["found", "other"]
    assert (states, said) == ({"a": "ok", "b": "ok"}, {})


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma locking_mode = exclusive")
connection.execute("begin exclusive")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locker(root):
    """Another process that holds store `a` for itself, from its call to its end."""
    made = []

    def lock():
        process = subprocess.Popen(
            [sys.executable, "-c", LOCK, str(root / "a/.nbtrack/nbtrack.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        made.append(process)
        assert process.stdout.readline() == b"locked\n"
        return lambda: process.communicate()

    yield lock
    for process in made:
        process.communicate()


def test_a_locked_store_says_so_and_is_read_once_it_is_free(desk, locker, monkeypatch):
    free = locker()
    names, states, said = looked(desk)
    assert (names, states) == (["other"], {"a": "problem", "b": "ok"})
    assert "locked by another process" in said["a"]
    free()
    assert looked(desk)[1]["a"] == "problem"  # not tried again at once
    waited(desk, monkeypatch)
    assert looked(desk)[1:] == ({"a": "ok", "b": "ok"}, {})


def test_a_store_that_is_locked_while_it_is_open_is_read_again_later(
    desk, root, monkeypatch
):
    # As on a network mount, where no log lets readers go on.
    other = sqlite3.connect(root / "a/.nbtrack/nbtrack.db", isolation_level=None)
    other.execute("pragma journal_mode = truncate").fetchall()
    before = looked(desk)
    other.execute("begin exclusive")
    names, states, said = looked(desk)
    other.execute("rollback")
    other.close()
    assert (names, states["a"]) == (["other"], "problem")
    assert "locked by another process" in said["a"]
    waited(desk, monkeypatch)
    assert looked(desk) == before


def test_what_was_left_out_of_a_list_for_a_moment_is_not_remembered_as_missing(
    desk, monkeypatch
):
    """The lock comes between the look at the store and the reading of its rows."""
    desk.stores.look(SESSIONS)
    runs, times = FollowedStore.runs, iter([True])

    def locked_once(store, **how):
        if store.path.parent.name == "a" and next(times, False):
            raise StoreError("locked")
        return runs(store, **how)

    monkeypatch.setattr(FollowedStore, "runs", locked_once)
    first = run_list.runs(desk, run_list.Question(10))
    waited(desk, monkeypatch)
    later = run_list.runs(desk, run_list.Question(10), first["version"])
    assert [row["name"] for row in first["runs"]] == ["other"]
    assert first["total"] == 1
    assert [problem["store"] for problem in first["problems"]] == ["a"]
    assert len(later["runs"]) == later["total"] == 2


def test_a_locked_store_is_waited_for_once_in_a_few_seconds(desk, locker):
    locker()
    looked(desk)
    tries = []
    held = stores_module.Held
    stores_module.Held = lambda found: tries.append(found.name) or held(found)
    try:
        for _ in range(10):
            looked(desk)
    finally:
        stores_module.Held = held
    assert tries == []


def test_a_run_of_a_locked_store_is_not_said_to_be_gone(desk, locker):
    locker()
    desk.stores.look(SESSIONS)
    assert desk.stores.of_run(OTHER_ID).run(OTHER_ID).name == "other"
    with pytest.raises(StoreError, match=r"a: .*locked"):
        desk.stores.of_run(SOME_ID)
    with pytest.raises(StoreError, match=r"a: .*locked"):
        desk.stores.of_store(store_id(desk.stores.root / "a/.nbtrack"))


def test_a_store_that_is_being_written_is_read_all_the_same(desk, root):
    writing = sqlite3.connect(root / "a/.nbtrack/nbtrack.db", isolation_level=None)
    writing.execute("begin exclusive")
    names, states, _ = looked(desk)
    writing.close()
    assert (sorted(names), states["a"]) == (["found", "other"], "ok")


def with_version(root, version):
    connection = sqlite3.connect(root / "a/.nbtrack/nbtrack.db")
    connection.execute(f"pragma user_version = {version}")
    connection.close()


def test_a_store_of_a_newer_nbtrack_is_read_and_not_written(desk, root):
    with_version(root, 99)
    names, states, said = looked(desk)
    assert (sorted(names), said) == (["found", "other"], {})
    assert states == {"a": "read-only", "b": "ok"}
    (row, _) = store_list.stores(desk)["stores"]
    assert "version 99" in row["message"]
    with pytest.raises(StoreTooNewError, match="Upgrade nbtrack"):
        run_edits.edit(desk, SOME_ID, Changes(name="new"))


def test_a_store_of_an_older_nbtrack_is_left_as_it_is(desk, root):
    with_version(root, 3)
    names, states, said = looked(desk)
    assert (names, states["a"]) == (["other"], "problem")
    assert "brings it up to date" in said["a"]
    connection = sqlite3.connect(root / "a/.nbtrack/nbtrack.db")
    assert connection.execute("pragma user_version").fetchone() == (3,)
    connection.close()


@pytest.mark.parametrize("content", [b"", b"this is no database " * 500])
def test_a_damaged_store_says_so_and_is_left_as_it_is(desk, root, content):
    database = root / "a/.nbtrack/nbtrack.db"
    for end in ("-wal", "-shm"):
        (root / f"a/.nbtrack/nbtrack.db{end}").unlink(missing_ok=True)
    database.write_bytes(content)
    names, states, said = looked(desk)
    assert (names, states["a"]) == (["other"], "problem")
    assert "left untouched" in said["a"]
    assert database.read_bytes() == content


def changed(root, statement):
    connection = sqlite3.connect(root / "a/.nbtrack/nbtrack.db")
    connection.execute("pragma foreign_keys = off")
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "drop table tags",
        "update sessions set facts = '{'",
        "insert into params values ('0000000000000', 'lr', '{', 'literal', null)",
    ],
)
def test_rows_that_make_no_sense_are_that_stores_trouble_alone(desk, root, statement):
    looked(desk)
    changed(root, statement)
    names, states, said = looked(desk)
    assert (names, states) == (["other"], {"a": "problem", "b": "ok"})
    assert said["a"]


def test_a_store_that_is_removed_while_it_is_open_is_none_any_more(desk, root):
    looked(desk)
    (root / "a/.nbtrack").rename(root / "elsewhere")
    names, states, said = looked(desk)
    assert (names, states, said) == (["other"], {"b": "ok"}, {})
    with pytest.raises(RunNotFoundError):
        desk.stores.of_run(SOME_ID)


def test_a_database_that_is_removed_while_it_is_open_is_a_problem(
    desk, root, monkeypatch
):
    looked(desk)
    (root / "a/.nbtrack/nbtrack.db").rename(root / "elsewhere.db")
    names, states, said = looked(desk)
    assert (names, states["a"]) == (["other"], "problem")
    assert "gone" in said["a"]
    (root / "elsewhere.db").rename(root / "a/.nbtrack/nbtrack.db")
    waited(desk, monkeypatch)
    assert looked(desk)[1:] == ({"a": "ok", "b": "ok"}, {})


def test_a_store_that_was_made_anew_is_read_anew(desk, root):
    import shutil

    before = looked(desk)[0]
    shutil.rmtree(root / "a/.nbtrack")
    with started(root / "a", name="anew"):
        after = looked(desk)[0]
    assert (sorted(before), sorted(after)) == (["found", "other"], ["anew", "other"])


READ_ONLY = """
import os, sys, hashlib, heapq
from pathlib import Path
from nbtrack.analysis.edits import Changes
from nbtrack.server.answers import run_detail, run_edits, run_list, sparks, store_list
from nbtrack.server.desk import Desk
from nbtrack.server.stores import Session
import nbtrack.store.table
os.setgid(65534); os.setuid(65534)  # the stdlib may be root's alone
desk = Desk(Path(sys.argv[1]))
desk.stores.look([Session("a/n.ipynb", "k")])
print(*[row["name"] for row in run_list.runs(desk, run_list.Question(9))["runs"]])
for row in store_list.stores(desk)["stores"]:
    print(row["state"], row["message"])
try:
    run_edits.edit(desk, "0" * 13, Changes(name="new"))
except Exception as exc:
    print(type(exc).__name__, exc)
desk.stores.close()
"""


def as_seen_by_another_user(root):
    """What the server lists for one who may pass through the folders above."""
    for parent in (root / "a" / ".nbtrack").parents:
        if not parent.stat().st_mode & 0o005:
            parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(root)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_folder_that_cannot_be_written_is_read_and_says_so(root):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    store = root / "a" / ".nbtrack"
    for path in (store, *store.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    names, state, refused = as_seen_by_another_user(root)
    assert names == "found"
    assert state.startswith("read-only ")
    assert "open for reading only" in state
    assert refused.startswith("StoreReadOnlyError ")


def test_a_folder_that_may_not_be_looked_into_is_a_problem(root):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    (root / "a" / ".nbtrack").chmod(0o700)
    names, state, refused = as_seen_by_another_user(root)
    assert names == ""
    assert state.startswith("problem ")
    assert "Permission denied" in state
    assert "Permission denied" in refused
