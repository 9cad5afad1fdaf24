"""A run may be recorded by several sessions; its time is that of all its lives."""

from __future__ import annotations

import pytest

from nbtrack.store.events import apply_event
from nbtrack.store.ingest import settle_session


def began(connection, session, started_at, *, seen_at, before_s=0.0):
    connection.execute(
        "insert into sessions(id, started_at, seen_at) values (?, ?, ?)",
        (session, "2026-11-01T00:00:00Z", seen_at),
    )
    event = {"kind": "run_started", "run": "r", "started_at": started_at,
             "before_s": before_s}  # fmt: skip
    apply_event(connection, event, session=session)


def test_a_crash_after_a_pause_does_not_count_the_pause(store):
    with store._writing() as database:
        connection = database.connection
        began(connection, "a", "2026-11-01T10:00:00Z", seen_at="2026-11-01T10:01:00Z")
        settle_session(database, "a", now=None)
    assert store.run("r").duration_s == pytest.approx(60)
    with store._writing() as database:
        began(
            database.connection, "b", "2026-11-02T10:00:00Z",
            seen_at="2026-11-02T10:00:30Z", before_s=60.0,
        )  # fmt: skip
        settle_session(database, "b", now=None)
    run = store.run("r")
    assert (run.status, run.started_at) == ("crashed", "2026-11-01T10:00:00Z")
    assert run.duration_s == pytest.approx(90)


def test_a_life_in_which_nothing_was_seen_took_no_time(store):
    with store._writing() as database:
        began(database.connection, "a", "2026-11-01T10:00:00Z", seen_at=None)
        settle_session(database, "a", now=None)
    assert store.run("r").duration_s == 0
