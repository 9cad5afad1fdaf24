"""Forks: runs that share their parent's points up to a step, without a copy.

The parent's points are read in the parent's place. What a fork holds of them is how
many there were of each metric, and their summary: its own points come behind them. So
nothing that the parent logs later gets in, and only purging the parent copies them.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Mapping
from itertools import compress
from typing import Any

from nbtrack.errors import RunNotFoundError
from nbtrack.store.chunks import Columns, pack, unpack
from nbtrack.store.summary import Summary, summary_with

Event = Mapping[str, Any]  # Any: JSON values, checked where they are used


def apply_forked(connection: sqlite3.Connection, event: Event) -> None:
    """`forked`: the run begins as its parent was at a step; params come along."""
    run, parent, step = event["run"], event["parent"], int(event["step"])
    found = connection.execute("select 1 from runs where id = ?", (parent,)).fetchone()
    if found is None:
        raise RunNotFoundError(f"There is no run {parent!r} in this store.")
    connection.execute(
        "update runs set forked_from = ?, fork_step = ? where id = ?",
        (parent, step, run),
    )
    connection.execute(
        """
        insert or ignore into params(run, name, value, origin, cell)
        select ?, name, value, origin, cell from params where run = ? order by rowid
        """,
        (run, parent),
    )
    metrics = connection.execute(
        "select id, name, axis_of, goal, thinned from metrics"
        " where run = ? and deleted_at is null and name not glob 'system/*'"
        " order by id",
        (parent,),
    ).fetchall()
    for metric, *about in metrics:
        columns = _up_to(all_points(connection, metric), step)
        if len(columns.values):
            _begin_with(connection, (run, metric, *about), columns)


def all_points(connection: sqlite3.Connection, metric: int) -> Columns:
    """The points of a metric in the order of logging, those it shares included."""
    points = prefix(connection, metric)
    rows = connection.execute(
        "select body from chunks where metric = ? order by start", (metric,)
    ).fetchall()
    for (body,) in rows:
        own = unpack(body)
        points.steps.extend(own.steps)
        points.values.extend(own.values)
        points.at.extend(own.at)
    return points


def prefix(connection: sqlite3.Connection, metric: int) -> Columns:
    """The points that a metric shares with its parent's; none where it is no fork.

    As many as it began with: where its first own chunk starts.
    """
    row = connection.execute(
        """
        select shared_from, fork_step, coalesce(
          (select min(start) from chunks where metric = metrics.id), n)
        from metrics join runs on runs.id = metrics.run
        where metrics.id = ? and shared_from is not null
        """,
        (metric,),
    ).fetchone()
    if row is None or not row[2]:
        return Columns(array("q"), array("d"), array("d"))
    parent, step, n_shared = row
    shared = _up_to(all_points(connection, parent), step)
    return Columns(
        shared.steps[:n_shared], shared.values[:n_shared], shared.at[:n_shared]
    )


def prefix_body(connection: sqlite3.Connection, metric: int) -> list[bytes]:
    """The shared points as one packed body; none where there are none."""
    shared = prefix(connection, metric)
    return [pack(shared)] if len(shared.values) else []


def give_forks_their_own(connection: sqlite3.Connection, run: str) -> None:
    """Copy what forks share with a run that is about to be purged."""
    rows = connection.execute(
        "select id from metrics where shared_from in"
        " (select id from metrics where run = ?)",
        (run,),
    ).fetchall()
    for (metric,) in rows:
        shared = prefix(connection, metric)
        if len(shared.values):
            connection.execute(
                "insert into chunks(metric, start, n, body) values (?, 0, ?, ?)",
                (metric, len(shared.values), pack(shared)),
            )
        connection.execute(
            "update metrics set shared_from = null where id = ?", (metric,)
        )
    connection.execute(
        "update runs set forked_from = null where forked_from = ?", (run,)
    )


def _up_to(points: Columns, step: int) -> Columns:
    if not points.steps or max(points.steps) <= step:
        return points
    kept = [at <= step for at in points.steps]
    return Columns(
        array("q", compress(points.steps, kept)),
        array("d", compress(points.values, kept)),
        array("d", compress(points.at, kept)),
    )


def _begin_with(
    connection: sqlite3.Connection, metric: tuple[Any, ...], columns: Columns
) -> None:
    connection.execute(
        """
        insert into metrics(run, shared_from, name, axis_of, goal, thinned, n, last,
          last_step, min, min_step, max, max_step, n_nan, first_nan_step)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (*metric, *summary_with(Summary(), columns).row()),
    )
