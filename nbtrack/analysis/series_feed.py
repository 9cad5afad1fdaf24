"""The points of one metric as one viewer has them: grown, kept small, sent as deltas.

Up to a number of points (`POINTS_MAX`, or what it is given) they are passed on as they
are. Beyond that every bucket of points is reduced to its extremes, and the bucket
doubles whenever the series is full again; the bucket still being filled is provisional
and is replaced by the next delta.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from operator import ge

from nbtrack.analysis.decimate import POINTS_MAX, keep
from nbtrack.analysis.wire import SeriesDelta

_FIRST_BUCKET = 4  # two points of four stay: a full series becomes half as long
_NAN = float("nan")

Triple = tuple[Sequence[float], Sequence[float], Sequence[float]]  # steps, values, at


class _Columns:
    """Steps, values, times and axes of equal length."""

    def __init__(self) -> None:
        self.steps, self.values, self.at = array("d"), array("d"), array("d")
        self.axes: dict[str, array[float]] = {}

    def __len__(self) -> int:
        return len(self.steps)

    def all(self) -> list[array[float]]:
        return [self.steps, self.values, self.at, *self.axes.values()]

    def extend(self, new: _Columns) -> None:
        for name in new.axes.keys() - self.axes.keys():
            self.axes[name] = array("d", [_NAN]) * len(self)
        for name in self.axes.keys() - new.axes.keys():
            new.axes[name] = array("d", [_NAN]) * len(new)
        self.steps.extend(new.steps)
        self.values.extend(new.values)
        self.at.extend(new.at)
        for name, column in self.axes.items():
            column.extend(new.axes[name])

    def pick(self, positions: Sequence[int]) -> _Columns:
        chosen = _Columns()
        chosen.steps = array("d", [self.steps[i] for i in positions])
        chosen.values = array("d", [self.values[i] for i in positions])
        chosen.at = array("d", [self.at[i] for i in positions])
        for name, column in self.axes.items():
            chosen.axes[name] = array("d", [column[i] for i in positions])
        return chosen

    def cut(self, length: int) -> None:
        for column in self.all():
            del column[length:]

    def take_front(self, length: int) -> _Columns:
        front = self.pick(range(length))
        for column in self.all():
            del column[:length]
        return front


class _Axis:
    """A loop counter along a series: the steps at which it changed, and to what."""

    def __init__(self) -> None:
        self.steps, self.values = array("d"), array("d")

    def change(self, steps: Sequence[float], values: Sequence[float]) -> None:
        for step, value in zip(steps, values, strict=True):
            place = bisect_right(self.steps, step)
            self.steps.insert(place, step)
            self.values.insert(place, value)

    def along(self, steps: array[float]) -> array[float]:
        """The counter at each of `steps`, which rise; NaN before it was known."""
        column = array("d")
        if not len(steps):
            return column
        place = bisect_right(self.steps, steps[0]) - 1
        value = self.values[place] if place >= 0 else _NAN
        for i in range(place + 1, bisect_right(self.steps, steps[-1])):
            end = bisect_left(steps, self.steps[i])
            column.extend(array("d", [value]) * (end - len(column)))
            value = self.values[i]
        column.extend(array("d", [value]) * (len(steps) - len(column)))
        return column


class SeriesFeed:
    """What a viewer has of one metric, and from where on it is out of date."""

    def __init__(
        self, metric: str, *, ghost: bool = False, most: int = POINTS_MAX
    ) -> None:
        self.metric = metric
        self.ghost = ghost
        self._most = most  # points; a full series becomes half as long
        self._shown = _Columns()  # settled points, then the provisional ones
        self._pending = _Columns()  # raw points of the bucket being filled
        self._axes: dict[str, _Axis] = {}
        self._n_settled = 0
        self._bucket = 1
        self._stale_from = 0

    def __len__(self) -> int:
        return len(self._shown)

    def add(self, points: Triple, axes: Mapping[str, Triple] | None = None) -> None:
        """Take in new points, and the changes of loop counters beside them.

        Points may come in any order of steps; of equal steps the last one stays.
        """
        for name, (steps, values, _) in (axes or {}).items():
            self._change_axis(name, steps, values)
        new = _risen(points)
        if not len(new):
            return
        new.axes = {name: axis.along(new.steps) for name, axis in self._axes.items()}
        if len(self._shown) and new.steps[0] <= self._shown.steps[-1]:
            self._merge(new)
        elif self._bucket == 1:
            self._shown.extend(new)
            self._n_settled = len(self._shown)
        else:
            self._fill(new)
        self._halve()

    def _change_axis(
        self, name: str, steps: Sequence[float], values: Sequence[float]
    ) -> None:
        if not len(steps):
            return
        axis = self._axes.setdefault(name, _Axis())
        axis.change(steps, values)
        # A counter is logged after its point: points that were read without it are
        # out of date.
        first = bisect_left(self._shown.steps, min(steps))
        if first < len(self._shown):
            self._stale_from = min(self._stale_from, first)
            for columns in (self._shown, self._pending):
                columns.axes[name] = axis.along(columns.steps)

    def delta(self, *, full: bool = False) -> SeriesDelta | None:
        """What the viewer lacks; None when nothing."""
        begin = 0 if full else self._stale_from
        n = len(self._shown)
        if begin >= n:
            return None
        # Provisional points are sent again with the next delta.
        self._stale_from = min(self._n_settled, n)
        shown = self._shown
        axes: dict[str, Sequence[float]] = {
            name: column[begin:] for name, column in shown.axes.items()
        }
        steps, values, at = shown.steps[begin:], shown.values[begin:], shown.at[begin:]
        return SeriesDelta(self.metric, begin, steps, values, at, axes, self.ghost)

    def _fill(self, new: _Columns) -> None:
        self._pending.extend(new)
        self._shown.cut(self._n_settled)
        n_whole = len(self._pending) // self._bucket * self._bucket
        if n_whole:
            whole = self._pending.take_front(n_whole)
            kept = keep(whole.values, self._bucket)
            self._shown.extend(whole.pick(kept))
            self._n_settled = len(self._shown)
        if len(self._pending):
            kept = keep(self._pending.values, self._bucket)
            self._shown.extend(self._pending.pick(kept))

    def _halve(self) -> None:
        while len(self._shown) > self._most:
            n = len(self._shown)
            # A long series that comes at once gets its bucket at once.
            factor = _FIRST_BUCKET
            while 2 * n // factor > self._most:
                factor *= 2
            self._bucket = max(factor, self._bucket * factor // 2)
            self._settle(self._shown.pick(keep(self._shown.values, factor)))

    def _merge(self, new: _Columns) -> None:
        """Points out of order or logged again: sort by step, the later one wins."""
        both = self._shown
        both.extend(new)
        by_step = {step: i for i, step in enumerate(both.steps)}
        self._settle(both.pick([by_step[step] for step in sorted(by_step)]))

    def _settle(self, columns: _Columns) -> None:
        self._shown, self._pending = columns, _Columns()
        self._n_settled = len(columns)
        self._stale_from = 0


def _risen(points: Triple) -> _Columns:
    """The points as columns of float64, by rising step."""
    columns = _Columns()
    columns.steps, columns.values, columns.at = (array("d", one) for one in points)
    if any(map(ge, columns.steps, columns.steps[1:])):
        by_step = {step: i for i, step in enumerate(columns.steps)}
        return columns.pick([by_step[step] for step in sorted(by_step)])
    return columns
