"""Applies events to the tables: the one place that knows what each kind means.

An event is a dict with "kind" and "run". It is applied inside the caller's
transaction, under a savepoint: one that makes no sense is put aside in `unread` with
the reason, and never stops the ones behind it.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from nbtrack.errors import RunNotFoundError, StoreError
from nbtrack.guard import guard
from nbtrack.store.alert_rows import apply_alert, apply_alerts_seen
from nbtrack.store.artifact_rows import apply_artifact, apply_checkpoint, apply_used
from nbtrack.store.described import (
    apply_cells,
    apply_facts,
    apply_inputs,
    apply_media,
    apply_texts,
    keep_source,
)
from nbtrack.store.forks import apply_forked
from nbtrack.store.values import as_json, iso, now, storable
from nbtrack.text import shorten

Event = Mapping[str, Any]  # Any: JSON values, checked where they are used
_BAD_EVENT = (
    KeyError, TypeError, ValueError, AttributeError, OverflowError,
    sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError,
    sqlite3.DataError, StoreError, RunNotFoundError,
)  # fmt: skip


def apply_or_put_aside(
    connection: sqlite3.Connection, event: Event, *, session: str
) -> None:
    """Apply one event of a journal; what cannot be applied is kept in `unread`."""
    connection.execute("savepoint event")
    try:
        apply_event(connection, event, session=session)
    except _BAD_EVENT as exc:
        connection.execute("rollback to event")
        _put_aside(connection, event, session, f"{type(exc).__name__}: {exc}")
    finally:
        if connection.in_transaction:
            connection.execute("release event")


def apply_event(
    connection: sqlite3.Connection, event: Event, *, session: str | None = None
) -> None:
    """Apply one event; raises on one that is unknown, malformed or has no run."""
    kind = event["kind"]
    if kind not in _KINDS and kind not in _OF_SESSION:
        raise StoreError(f"Event kind {shorten(repr(kind))} is not known.")
    if kind == "run_started":
        _run_started(connection, event, session)
        return
    found = connection.execute("select 1 from runs where id = ?", (event["run"],))
    if found.fetchone() is None:
        raise RunNotFoundError(f"There is no run {event['run']!r} in this store.")
    if kind in _OF_SESSION:
        _OF_SESSION[kind](connection, event, session)
    else:
        _KINDS[kind](connection, event)


def _put_aside(
    connection: sqlite3.Connection, event: Event, session: str, reason: str
) -> None:
    connection.execute(
        "insert into unread(session, at, reason, body) values (?, ?, ?, ?)",
        (session, now(), storable(shorten(reason, 300)), as_json(dict(event))),
    )
    kind = shorten(str(event.get("kind")), 40)
    guard.warn_once("unread event", f"an event {kind!r} was put aside: {reason}")


def _run_started(
    connection: sqlite3.Connection, event: Event, session: str | None
) -> None:
    connection.execute(
        """
        insert into runs(
          id, name, experiment, status, started_at, "group", parent, notes, notebook,
          cell_id, execution, source_digest, session)
        values (?, ?, ?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?)
        on conflict(id) do update set
          status = 'running', ended_at = null, duration_s = null, error = null,
          reason = null, grade = null, grade_why = null, session = excluded.session,
          source_digest = coalesce(excluded.source_digest, source_digest),
          cell_id = coalesce(excluded.cell_id, cell_id),
          execution = coalesce(excluded.execution, execution)
        """,
        (
            event["run"],
            storable(event.get("name") or event["run"]),
            storable(event.get("experiment") or "default"),
            iso(event.get("started_at")) or now(),
            storable(event.get("group")),
            event.get("parent"),
            storable(event.get("notes") or ""),
            storable(event.get("notebook")),
            event.get("cell_id"),
            event.get("execution"),
            _keep_source(connection, event),
            session,
        ),
    )
    _set_tags(connection, event["run"], event.get("tags") or {})
    if session:
        _begin_life(connection, event, session)
    if session and event.get("session"):
        connection.execute(
            "update sessions set facts = ? where id = ?",
            (as_json(event["session"]), session),
        )


def _begin_life(connection: sqlite3.Connection, event: Event, session: str) -> None:
    """Since when the run is recorded by this session, and how long it took before."""
    known = connection.execute("select 1 from sessions where id = ?", (session,))
    if known.fetchone() is not None:
        connection.execute(
            "insert or replace into lives(run, session, started_at, before_s)"
            " values (?, ?, ?, ?)",
            (
                event["run"], session, iso(event.get("started_at")) or now(),
                float(event.get("before_s") or 0.0),
            ),
        )  # fmt: skip


def _keep_source(connection: sqlite3.Connection, event: Event) -> str | None:
    """Keep the cell's source once per content: the same cell is run many times."""
    source = storable(event.get("source"))
    if source is None:
        return None
    return keep_source(connection, source, event.get("source_digest"))


def _params(connection: sqlite3.Connection, event: Event) -> None:
    for name, value, origin, cell in event["params"]:
        connection.execute(
            """
            insert into params(run, name, value, origin, cell) values (?, ?, ?, ?, ?)
            on conflict(run, name) do update set
              value = excluded.value, origin = excluded.origin, cell = excluded.cell
            """,
            (event["run"], storable(name), as_json(value), origin, storable(cell)),
        )


def _tags(connection: sqlite3.Connection, event: Event) -> None:
    for name in event.get("remove") or ():
        connection.execute(
            "delete from tags where run = ? and name = ?",
            (event["run"], storable(name)),
        )
    _set_tags(connection, event["run"], event.get("set") or {})


def _set_tags(
    connection: sqlite3.Connection, run: str, tags: Mapping[str, str | None]
) -> None:
    for name, value in tags.items():
        connection.execute(
            """
            insert into tags(run, name, value) values (?, ?, ?)
            on conflict(run, name) do update set value = excluded.value
            """,
            (run, storable(name), storable(value)),
        )


def _metric(connection: sqlite3.Connection, event: Event, session: str | None) -> None:
    name, axis_of = storable(event["name"]), storable(event.get("axis_of"))
    connection.execute(
        """
        insert into metrics(run, name, axis_of, goal) values (?, ?, ?, ?)
        on conflict(run, name, coalesce(axis_of, ''), coalesce(deleted_at, ''))
        do update set
          goal = coalesce(excluded.goal, goal)
        """,
        (event["run"], name, axis_of, event.get("goal")),
    )
    if session is not None:
        connection.execute(
            """
            insert or replace into series(session, series, metric)
            select ?, ?, id from metrics
            where run = ? and name = ? and axis_of is ? and deleted_at is null
            """,
            (session, event["series"], event["run"], name, axis_of),
        )


_METRIC_FIELDS = {
    "goal": "update metrics set goal = ? where run = ? and name = ?"
    " and axis_of is null and deleted_at is null",
    "thinned": "update metrics set thinned = ? where run = ? and name = ?"
    " and axis_of is null and deleted_at is null",
}
_RUN_FIELDS = {
    "name": "update runs set name = ? where id = ?",
    "experiment": "update runs set experiment = ? where id = ?",
    "notes": "update runs set notes = ? where id = ?",
    "group": 'update runs set "group" = ? where id = ?',
    "parent": "update runs set parent = ? where id = ?",
    "notebook": "update runs set notebook = ? where id = ?",
    "cell_id": "update runs set cell_id = ? where id = ?",
    "trashed_at": "update runs set trashed_at = ? where id = ?",
    "error": "update runs set error = ? where id = ?",
    "reason": "update runs set reason = ? where id = ?",
    "started_at": "update runs set started_at = ? where id = ?",
    "forked_from": "update runs set forked_from = ? where id = ?",
    "fork_step": "update runs set fork_step = ? where id = ?",
    "peak_rss_bytes": "update runs set peak_rss_bytes = ? where id = ?",
    "peak_vram_bytes": "update runs set peak_vram_bytes = ? where id = ?",
    "model_bytes": "update runs set model_bytes = ? where id = ?",
    "grade": "update runs set grade = ? where id = ?",
    "grade_why": "update runs set grade_why = ? where id = ?",
}
_TIMES = frozenset({"trashed_at", "started_at"})


def _metric_changed(connection: sqlite3.Connection, event: Event) -> None:
    for field, value in event["fields"].items():
        connection.execute(
            _METRIC_FIELDS[field], (value, event["run"], storable(event["name"]))
        )


def _run_changed(connection: sqlite3.Connection, event: Event) -> None:
    for field, value in event["fields"].items():
        if field in _TIMES:
            value = iso(value)
        connection.execute(_RUN_FIELDS[field], (storable(value), event["run"]))


def _notices(connection: sqlite3.Connection, event: Event) -> None:
    for text in event["texts"]:
        connection.execute(
            "insert into notices(run, text) values (?, ?)",
            (event["run"], storable(text)),
        )


def _run_finished(connection: sqlite3.Connection, event: Event) -> None:
    duration = event.get("duration_s")
    connection.execute(
        """
        update runs set status = ?, ended_at = ?, duration_s = ?,
          error = coalesce(?, error), reason = coalesce(?, reason)
        where id = ?
        """,
        (
            event["status"],
            iso(event.get("ended_at")) or now(),
            duration if duration is None or math.isfinite(duration) else None,
            storable(event.get("error")),
            storable(event.get("reason")),
            event["run"],
        ),
    )


def _artifact(connection: sqlite3.Connection, event: Event) -> None:
    apply_artifact(connection, event)


_KINDS: dict[str, Callable[[sqlite3.Connection, Event], None]] = {
    "params": _params,
    "tags": _tags,
    "metric_changed": _metric_changed,
    "run_changed": _run_changed,
    "notices": _notices,
    "alert": apply_alert,
    "alerts_seen": apply_alerts_seen,
    "run_finished": _run_finished,
    "checkpoint": apply_checkpoint,
    "artifact": _artifact,
    "artifact_used": apply_used,
    "facts": apply_facts,
    "texts": apply_texts,
    "inputs": apply_inputs,
    "media": apply_media,
    "forked": apply_forked,
}
_OF_SESSION: dict[str, Callable[[sqlite3.Connection, Event, str | None], None]] = {
    "run_started": _run_started,
    "metric": _metric,
    "cells": apply_cells,
}
