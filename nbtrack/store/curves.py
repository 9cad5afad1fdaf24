"""Reads points: whole curves, and what is new since a panel last looked.

Columns all the way: a million points come in tens of milliseconds because no point is
ever a Python object, but where steps were logged out of order.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import le
from pathlib import Path
from typing import Any, TypeAlias

from nbtrack.errors import MetricNotFoundError
from nbtrack.records import RunRecord
from nbtrack.store.alert_reads import is_as_told
from nbtrack.store.chunks import (
    Columns,
    Packed,
    take_apart,
    unpack,
    unpack_steps,
    unpack_times,
)
from nbtrack.store.forks import prefix, prefix_body
from nbtrack.store.queries import read_one
from nbtrack.text import did_you_mean, shorten


class Curve:
    """One metric of one run, sorted by step; of equal steps the last logged stays.

    `steps` is an array of int64, `values` and `at` (seconds since the epoch) of
    float64, `axes` has one array per loop counter with one value per point, carried
    forward. The columns are unpacked when they are first looked at.

    >>> from nbtrack.store.chunks import pack
    >>> points = Columns(array("q", [1, 0]), array("d", [.2, .1]), array("d", [2, 1]))
    >>> Curve([pack(points)], {}).values
    array('d', [0.1, 0.2])
    """

    def __init__(self, bodies: list[bytes], axes: Mapping[str, list[bytes]]) -> None:
        self._parts = [take_apart(body) for body in bodies]
        self._axis_bodies = axes

    def __len__(self) -> int:
        return len(self.steps)

    @cached_property
    def steps(self) -> array[int]:
        """The steps, rising."""
        steps = self._logged_steps
        return steps if self._order is None else _picked("q", steps, self._order)

    @cached_property
    def values(self) -> array[float]:
        """The values."""
        values: array[float] = array("d")
        for part in self._parts:
            values.frombytes(part.values)
        return values if self._order is None else _picked("d", values, self._order)

    @cached_property
    def at(self) -> array[float]:
        """When each point was logged, in seconds since the epoch."""
        at: array[float] = array("d")
        for part in self._parts:
            at.extend(unpack_times(part))
        return at if self._order is None else _picked("d", at, self._order)

    @cached_property
    def axes(self) -> dict[str, array[float]]:
        """The loop counters at each point; NaN before the first was known."""
        return {
            name: carried_forward(self.steps, Curve(bodies, {}))
            for name, bodies in self._axis_bodies.items()
        }

    @cached_property
    def _logged_steps(self) -> array[int]:
        steps: array[int] = array("q")
        for part in self._parts:
            steps.extend(unpack_steps(part))
        return steps

    @cached_property
    def _order(self) -> list[int] | None:
        """Where the points of the sorted curve are; None where all is in order."""
        if _rises(self._parts):
            return None
        steps = self._logged_steps
        latest = dict(zip(steps, range(len(steps)), strict=True))  # the last one stays
        return [latest[step] for step in sorted(latest)]


# Steps, values, at; in quotes, as arrays take no type parameters before Python 3.12.
Points: TypeAlias = "tuple[array[int], array[float], array[float]]"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a panel has read: points seen per metric row, at which version."""

    run: RunRecord
    version: tuple[int, int]  # of the database, as this reader sees it
    seen: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Tail:
    """What came in since a cursor was taken; for panels.

    `points` maps a metric to (steps, values, at), in the order of logging; `axes` maps
    a metric to the new points of its axes, by axis, in the same form.
    """

    points: Mapping[str, Points]
    axes: Mapping[str, Mapping[str, Points]]
    cursor: Cursor
    run: RunRecord


def read_curve(connection: sqlite3.Connection, run_id: str, metric: str) -> Curve:
    """The curve of a metric; MetricNotFoundError names what there is."""
    rows = connection.execute(
        "select id, name from metrics where run = :run"
        " and (name = :metric and axis_of is null or axis_of = :metric)"
        " and deleted_at is null",
        {"run": run_id, "metric": metric},
    ).fetchall()
    found = {name: _bodies(connection, id_) for id_, name in rows}
    if metric not in found:
        raise MetricNotFoundError(_unknown(connection, run_id, metric))
    bodies = found.pop(metric)
    return Curve(bodies, found)


def read_tail(
    connection: sqlite3.Connection, journal: Path, run_id: str, cursor: Cursor | None
) -> tuple[dict[str, Points], dict[str, dict[str, Points]], Cursor]:
    """The points behind `cursor`, axes apart by metric, and the cursor behind them."""
    version = id(connection), connection.execute("pragma data_version").fetchone()[0]
    if (
        cursor is not None
        and cursor.version == version
        and is_as_told(connection, journal, cursor.run)
    ):
        return {}, {}, cursor
    rows = connection.execute(
        "select id, name, axis_of, n from metrics where run = ? and deleted_at is null"
        " and name not glob 'system/*'",
        (run_id,),
    ).fetchall()
    seen = {} if cursor is None else dict(cursor.seen)
    points: dict[str, Points] = {}
    axes: dict[str, dict[str, Points]] = {}
    for id_, name, axis_of, n in rows:
        if n > seen.get(id_, 0):
            new, seen[id_] = _since(connection, id_, seen.get(id_, 0))
            place = points if axis_of is None else axes.setdefault(axis_of, {})
            place[name] = (new.steps, new.values, new.at)
    return points, axes, Cursor(read_one(connection, journal, run_id), version, seen)


def carried_forward(steps: array[int], axis: Curve) -> array[float]:
    """An axis's value at each of `steps`: the last one set at or before it."""
    if axis.steps == steps:
        return axis.values
    column: array[float] = array("d")
    value = math.nan
    for step, new in zip(axis.steps, axis.values, strict=True):
        place = bisect_left(steps, step)
        column.extend(array("d", [value]) * (place - len(column)))
        value = new
    column.extend(array("d", [value]) * (len(steps) - len(column)))
    return column


def _since(
    connection: sqlite3.Connection, metric: int, seen: int
) -> tuple[Columns, int]:
    """The points of a metric from ordinal `seen` on, and how many there are now."""
    rows = connection.execute(
        "select start, n, body from chunks where metric = ? and start + n > ?"
        " order by start",
        (metric, seen),
    ).fetchall()
    new = Columns(array("q"), array("d"), array("d"))
    if not rows or rows[0][0] > seen:  # a fork: what it shares comes first
        shared = prefix(connection, metric)
        _extend(new, shared, seen)
        seen = max(seen, len(shared.values))
    for start, n, body in rows:
        columns, skip = unpack(body), max(0, seen - start)
        _extend(new, columns, skip)
        seen = start + n
    return new, seen


def _extend(new: Columns, columns: Columns, skip: int) -> None:
    new.steps.extend(columns.steps[skip:])
    new.values.extend(columns.values[skip:])
    new.at.extend(columns.at[skip:])


def _bodies(connection: sqlite3.Connection, metric: int) -> list[bytes]:
    rows = connection.execute(
        "select body from chunks where metric = ? order by start", (metric,)
    ).fetchall()
    return [*prefix_body(connection, metric), *(body for (body,) in rows)]


def _rises(parts: list[Packed]) -> bool:
    """Whether steps rise strictly throughout, without unpacking regular ones."""
    last: int | None = None
    for part in parts:
        if last is not None and part.first_step <= last:
            return False
        if part.step_code == 0:
            if part.stride <= 0 and part.n > 1:
                return False
            last = part.first_step + part.stride * (part.n - 1)
            continue
        steps = unpack_steps(part)
        if any(map(le, steps[1:], steps)):
            return False
        last = steps[-1]
    return True


def _picked(code: str, column: Any, order: list[int]) -> Any:
    return array(code, map(column.__getitem__, order))


def _unknown(connection: sqlite3.Connection, run_id: str, metric: str) -> str:
    rows = connection.execute(
        "select name from metrics where run = ? and axis_of is null"
        " and deleted_at is null and name not glob 'system/*' order by id",
        (run_id,),
    ).fetchall()
    known = [name for (name,) in rows]
    hint = did_you_mean(metric, known) or (
        f" It has {shorten(', '.join(known), 120)}." if known else " It has none yet."
    )
    return f"Run {run_id} has no metric {shorten(repr(metric))}.{hint}"
