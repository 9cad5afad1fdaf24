"""Reads the points of a run as they were logged, a chunk at a time.

For who hands all of them on: what a curve sorts and thins stays here, twice logged
steps too, and no more than one chunk is in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

from nbtrack.records import Goal
from nbtrack.store.chunks import Columns, unpack
from nbtrack.store.forks import prefix


class LoggedSeries(NamedTuple):
    """A metric, or an axis of one."""

    id: int
    name: str
    axis_of: str | None
    goal: Goal | None
    n: int


class ReadsLogged:
    """The part of `Store` that reads points as they came."""

    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def logged_series(self, run_id: str) -> list[LoggedSeries]:
        """What points a run (its full id) has, those of the machine too, in order."""
        with self._reading() as reader:
            rows = reader.execute(
                "select id, name, axis_of, goal, n from metrics"
                " where run = ? and n > 0 and deleted_at is null order by id",
                (run_id,),
            ).fetchall()
        return [LoggedSeries(*row) for row in rows]

    def logged_points(self, series: LoggedSeries) -> Iterator[Columns]:
        """Its points in pieces, in the order of logging.

        >>> import tempfile
        >>> from nbtrack.store import Store
        >>> with Store.open(tempfile.mkdtemp()) as store:
        ...     store.logged_series("none")
        []
        """
        with self._reading() as reader:
            shared = prefix(reader, series.id)
        if len(shared.values):
            yield shared
        seen = len(shared.values)
        # Asked for anew each time: chunks are joined meanwhile.
        while (piece := self._piece(series.id, seen)) is not None:
            yield piece
            seen += len(piece.values)

    def _piece(self, metric: int, seen: int) -> Columns | None:
        with self._reading() as reader:
            row = reader.execute(
                "select start, body from chunks where metric = ? and start + n > ?"
                " order by start limit 1",
                (metric, seen),
            ).fetchone()
        if row is None:
            return None
        points, skip = unpack(row[1]), max(0, seen - row[0])
        if not skip:
            return points
        return Columns(points.steps[skip:], points.values[skip:], points.at[skip:])
