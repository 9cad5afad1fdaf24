"""Purging leaves no byte of a run, and nothing of others' missing."""

from __future__ import annotations

import pytest

from nbtrack.errors import RunNotFoundError, StoreError
from nbtrack.store.events import apply_event

SECRET = "correct-horse-battery-staple"


def add_run(store, run, file):
    ref = store.put_file(file)
    store.journal.emit(
        {"kind": "run_started", "run": run, "name": f"{run}-{SECRET}", "source": SECRET}
    )
    store.journal.emit(
        {"kind": "params", "run": run, "params": [["key", SECRET, "literal", None]]}
    )
    store.journal.emit(
        {
            "kind": "checkpoint", "run": run, "name": "m", "digest": ref.digest,
            "size_bytes": ref.size_bytes, "path": "m.pt",
        }
    )  # fmt: skip
    store.journal.point(store.journal.series(run, "loss"), 0, 1.0, 1e9)
    store.journal.emit({"kind": "run_finished", "run": run, "status": "finished"})
    assert store.journal.flush()
    return ref


def test_s10_a_purged_run_is_gone_to_the_last_byte(store, tmp_path):
    file = tmp_path / "m.pt"
    file.write_text(SECRET)
    ref = add_run(store, "r1", file)
    store.purge("r1")
    assert store.runs() == []
    with pytest.raises(StoreError):
        store.file_path(ref.digest)
    store.close()
    left = [p for p in store.path.rglob("*") if p.is_file()]
    assert [p for p in left if SECRET.encode() in p.read_bytes()] == []


def test_what_other_runs_share_stays(store, tmp_path):
    file = tmp_path / "m.pt"
    file.write_text("shared")
    ref = add_run(store, "r1", file)
    add_run(store, "r2", file)
    store.purge("r1")
    assert store.file_path(ref.digest).read_text() == "shared"
    assert store.run("r2").source == SECRET
    assert len(store.curve("r2", "loss")) == 1


def test_a_running_run_is_not_purged(store):
    store.journal.emit({"kind": "run_started", "run": "r1"})
    assert store.journal.flush()
    with pytest.raises(StoreError, match="is running"):
        store.purge("r1")
    assert store.run("r1").status == "running"


def test_a_run_that_is_not_there_cannot_be_purged(store):
    with pytest.raises(RunNotFoundError):
        store.purge("none")


def test_s10_the_cells_of_an_earlier_life_go_too(store):
    cell = {"seq": 0, "source": "planted_4711 = 1", "source_digest": "d" * 64,
            "started_at": "2026-11-01T00:00:00Z"}  # fmt: skip
    with store._writing() as database:
        for session in ("first", "second"):
            database.connection.execute(
                "insert into sessions(id, started_at) values (?, '2026')", (session,)
            )
            for event in (
                {"kind": "run_started", "run": "r"},
                {"kind": "cells", "run": "r", "cells": [cell]},
                {"kind": "run_finished", "run": "r", "status": "finished"},
            ):
                apply_event(database.connection, event, session=session)
    store.purge("r")
    assert store.sql("select count(*) from cells")[1] == [(0,)]
    assert b"planted_4711" not in (store.path / "nbtrack.db").read_bytes()
