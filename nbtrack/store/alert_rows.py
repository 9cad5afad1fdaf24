"""Alerts as rows: written with the event or the points that raised them, read by all.

A run that stalled or crashed may have nobody left to write it down. So whoever reads
looks for himself, and sees the same alert, with the same time, as is written later.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from nbtrack.errors import StoreError
from nbtrack.records import LEVELS, AlertRecord
from nbtrack.store.alert_rules import (
    DEFAULT_RULES,
    RULES_FACT,
    Rule,
    known_rules,
    parse_rule,
)
from nbtrack.store.chunks import unpack
from nbtrack.store.values import iso, now, storable
from nbtrack.text import shorten

PER_RUN_MAX = 200  # that a reader is told of one run, the newest
_COLUMNS = "run, at, kind, level, title, text, step, metric, rule, seen_at"
_LAST_BODY = """
  select body from chunks where id = (
    select max(chunks.id) from chunks join metrics on metrics.id = chunks.metric
    where metrics.run = ? and axis_of is null and deleted_at is null
      and name not glob 'system/*')
"""
_BEGAN = """
  select coalesce((select max(started_at) from lives where run = runs.id), started_at)
  from runs where id = ?
"""
_EPOCH = "select (julianday(?) - 2440587.5) * 86400.0"


def alert_of(event: Any) -> AlertRecord:  # Any: JSON values, checked here
    """What the event of an alert says; StoreError where that makes no sense."""
    level, step = event.get("level", "info"), event.get("step")
    if level not in LEVELS:
        raise StoreError(f"Level {shorten(repr(level))} is not one of {LEVELS}.")
    return AlertRecord(
        event["run"], iso(event.get("at")) or now(), "custom", level,
        storable(event["title"]) or "", storable(event.get("text")) or "",
        None if step is None else int(step),
    )  # fmt: skip


def apply_alert(connection: sqlite3.Connection, event: Any) -> None:
    """An alert that the user's code raised."""
    insert_alert(connection, alert_of(event))


def apply_alerts_seen(connection: sqlite3.Connection, event: Any) -> None:
    """Somebody has seen all alerts of the run so far."""
    connection.execute(
        "update alerts set seen_at = ? where run = ? and seen_at is null",
        (iso(event.get("at")) or now(), event["run"]),
    )


def insert_alert(connection: sqlite3.Connection, alert: AlertRecord) -> None:
    """Write one down, inside the caller's transaction."""
    connection.execute(
        f"insert into alerts({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants only
        (
            alert.run, alert.at, alert.kind, alert.level, alert.title, alert.text,
            alert.step, alert.metric, alert.rule, alert.seen_at,
        ),
    )  # fmt: skip


def read_alerts(
    connection: sqlite3.Connection, where: str, values: dict[str, Any]
) -> dict[str, list[AlertRecord]]:
    """The alerts of runs, in the order in which they came, by run."""
    rows = connection.execute(
        f"select {_COLUMNS} from alerts where {where} order by at, id",  # noqa: S608 - constants only
        values,
    ).fetchall()
    found: dict[str, list[AlertRecord]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(AlertRecord(*row))
    return {run: alerts[-PER_RUN_MAX:] for run, alerts in found.items()}


def newest_alerts(
    connection: sqlite3.Connection, limit: int
) -> list[tuple[AlertRecord, str]]:
    """The newest alerts of runs that are not in the trash, each with its run's name."""
    rows = connection.execute(
        f"""
        select runs.name, {", ".join(f"alerts.{c}" for c in _COLUMNS.split(", "))}
        from alerts join runs on runs.id = alerts.run
        where runs.trashed_at is null order by alerts.at desc, alerts.id desc limit ?
        """,  # noqa: S608 - constants only
        (limit,),
    ).fetchall()
    return [(AlertRecord(*row), name) for name, *row in rows]


def rules_of(connection: sqlite3.Connection, run: str) -> tuple[Rule, ...]:
    """What the run waits for; one that says nothing, for NaN."""
    row = connection.execute(
        "select value from facts where run = ? and name = ?", (run, RULES_FACT)
    ).fetchone()
    if row is None or row[0] is None:
        return tuple(map(parse_rule, DEFAULT_RULES))
    return known_rules(json.loads(row[0]))


def unwritten(
    connection: sqlite3.Connection, run: str, *, is_alive: bool, now_s: float
) -> Iterator[AlertRecord]:
    """What is to be said now of a run that is `running` in the tables."""
    rules = rules_of(connection, run)
    if not is_alive:
        return crashes(connection, run, rules)
    return stalls(connection, run, rules, now_s)


def stalls(
    connection: sqlite3.Connection, run: str, rules: Iterable[Rule], now_s: float
) -> Iterator[AlertRecord]:
    """The stalls of a run that nobody has written down since its last point."""
    waiting = [rule for rule in rules if rule.kind == "stalled"]
    if waiting:
        since_s = last_point_s(connection, run)
        yield from stalls_since(connection, run, waiting, since_s, now_s)


def stalls_since(
    connection: sqlite3.Connection, run: str, rules: Iterable[Rule], since_s: float,
    until_s: float,
) -> Iterator[AlertRecord]:  # fmt: skip
    """The same where it is known that no point came from `since_s` to `until_s`."""
    for rule in rules:
        due_s = since_s + rule.after_s
        if until_s < due_s or _is_written(connection, run, rule, iso(since_s)):
            continue
        title = f"no new point for {rule.text.removeprefix('stalled ')}"
        yield AlertRecord(
            run, iso(due_s) or "", "stalled", "warn", title, rule=rule.text
        )


def crashes(
    connection: sqlite3.Connection, run: str, rules: Iterable[Rule]
) -> Iterator[AlertRecord]:
    """That the process of a run is gone, where the run asks to be told."""
    if not any(rule.kind == "crashed" for rule in rules):
        return
    (seen_at,) = connection.execute(
        "select coalesce(sessions.seen_at, runs.started_at) from runs"
        " left join sessions on sessions.id = runs.session where runs.id = ?",
        (run,),
    ).fetchone()
    yield AlertRecord(
        run, seen_at, "crashed", "error", "run crashed", "process gone", rule="crashed"
    )


def last_point_s(connection: sqlite3.Connection, run: str) -> float:
    """When the last point of its own metrics came, else when the run began."""
    (began,) = connection.execute(_BEGAN, (run,)).fetchone()
    (began_s,) = connection.execute(_EPOCH, (began,)).fetchone()
    row = connection.execute(_LAST_BODY, (run,)).fetchone()
    last_s = unpack(row[0]).at[-1] if row else 0.0
    return float(max(last_s, began_s or 0.0))


def _is_written(
    connection: sqlite3.Connection, run: str, rule: Rule, since: str | None
) -> bool:
    found = connection.execute(
        "select 1 from alerts where run = ? and rule = ? and at > ?",
        (run, rule.text, since),
    )
    return found.fetchone() is not None
