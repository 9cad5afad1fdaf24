"""The points of a run as MLflow has them: which series, and what the server lacks.

A loop counter of a metric (an axis) is there a metric of its own,
`axes/<metric>/<axis>`. MLflow's databases write Inf as the largest float, and keep one
of several points that have the same step, millisecond and value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from nbtrack.interop.mlflow.kept import LARGEST
from nbtrack.interop.mlflow.names import axis_there, name_there
from nbtrack.interop.mlflow.server import POINTS_AT_ONCE, Point, Server
from nbtrack.records import RunRecord
from nbtrack.store import Store

Columns = tuple[Any, Any, Any]  # arrays of steps, values, times in seconds


def all_series(store: Store, run: RunRecord) -> Iterator[tuple[str, Columns]]:
    """Every series of a run under its name there, in the order of logging."""
    tail = store.tail(run.id)
    for name, columns in tail.points.items():
        yield name_there(name), columns
    for metric, axes in tail.axes.items():
        for axis, columns in axes.items():
            yield axis_there(metric, axis), columns
    for name in run.system:
        curve = store.curve(run.id, name)
        yield name_there(name), (curve.steps, curve.values, curve.at)


class PointSender:
    """Sends points in full batches, whichever metrics they are of."""

    def __init__(self, server: Server, run: str) -> None:
        self.n_sent = 0
        self._server = server
        self._run = run
        self._waiting: list[tuple[str, Point]] = []

    def send(self, name: str, columns: Columns, *, is_known: bool) -> None:
        """Send what the server does not have; nothing is asked of a new metric."""
        at_ms = (round(at * 1000) for at in columns[2])
        points: Iterable[Point] = zip(columns[0], columns[1], at_ms, strict=True)
        if is_known:
            points = _lacking(points, self._server.history(self._run, name))
        for point in points:
            self._waiting.append((name, point))
            if len(self._waiting) == POINTS_AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            self._server.log_points(self._run, self._waiting)
            self.n_sent += len(self._waiting)
            self._waiting = []


def _lacking(points: Iterable[Point], there: list[Point]) -> Iterator[Point]:
    known = Counter(_as_kept(point) for point in there)
    for point in points:
        key = _as_kept(point)
        if known[key] > 0:
            known[key] -= 1
        else:
            yield point


def _as_kept(point: Point) -> tuple[int, float | None, int]:
    step, value, ms = point
    if math.isnan(value):
        return step, None, ms
    return step, max(-LARGEST, min(LARGEST, value)), ms
