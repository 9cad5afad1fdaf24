"""Curves of several runs over one x, made small for a screen without losing a spike.

What is sent for a width of pixels are the least and the greatest value of each bucket;
a part that is zoomed into is asked for again and comes in full. The mean of a group
comes from its own runs alone: another group never moves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.comparing.smoothing import smoothed
from nbtrack.errors import MetricNotFoundError, RunNotFoundError
from nbtrack.store.values import epoch_s

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nbtrack.analysis.comparing.source import Source

    Floats = NDArray[np.float64]

POINTS = 1600  # of one curve on the screen: two for each pixel
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One curve: x never falls; `smooth` is beside the raw line where it was asked."""

    key: str  # the run's id, or the group
    x: Floats
    y: Floats
    smooth: Floats | None = None
    low: Floats | None = None  # of a group: the range of its runs
    high: Floats | None = None
    n_runs: int = 1
    n_points: int = 0  # before it was made small
    is_thinned: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: which metric over what, how smooth, which part of it."""

    metric: str
    x: str = "step"
    smooth: float = 0.0
    span: Span | None = None
    points: int = POINTS


class Overlay:
    """Reads curves of one store, and remembers those it has read.

    A curve of a run that goes on is read again where its number of points has changed.
    At most `most` are remembered, and of `points_kept` points together.
    """

    def __init__(
        self, store: Source, *, most: int = 64, points_kept: int | None = None
    ) -> None:
        self._store = store
        self._most = most
        self._points_kept = points_kept
        self._read: dict[tuple[str, str, str], tuple[Floats, Floats, int]] = {}

    def curve(self, run: str, wanted: Wanted) -> Drawn | None:
        """The curve of one run; None where it lacks the metric, or that x.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start("base") as run:
        ...     for loss in (3.0, 2.0, 1.0):
        ...         run.log(loss=loss)
        >>> Overlay(run.store).curve(run.id, Wanted("loss")).y.tolist()
        [3.0, 2.0, 1.0]
        """
        read = self._xy(run, wanted.metric, wanted.x)
        if read is None or not len(read[0]):
            return None
        x, y = read
        smooth = smoothed(y, wanted.smooth) if wanted.smooth else None
        return _drawn(run, x, y, smooth, wanted)

    def axes(self, run: str, metric: str) -> list[str]:
        """The loop counters over which a run's curve can be drawn."""
        try:
            return list(self._store.curve(run, metric).axes)
        except (MetricNotFoundError, RunNotFoundError):
            return []

    def step_at(self, run: str, metric: str, x: str, at: float) -> int | None:
        """The step of the point of a curve that is nearest to an x."""
        import numpy as np

        try:
            curve = self._store.curve(run, metric)
        except (MetricNotFoundError, RunNotFoundError):
            return None
        xs = _x_of(self._store, run, curve, x)
        if xs is None or not len(xs) or np.isnan(xs).all():
            return None
        return int(curve.steps[int(np.nanargmin(np.abs(xs - at)))])

    def band(self, key: str, runs: Sequence[str], wanted: Wanted) -> Drawn | None:
        """Mean, least and greatest of a group's runs, at every x that one of them has.

        Between its own points a run counts with the straight line; outside of them it
        does not count.
        """
        import numpy as np

        read = [self._xy(run, wanted.metric, wanted.x) for run in runs]
        curves = [_single(*xy) for xy in read if xy is not None and len(xy[0])]
        if not curves:
            return None
        if len(curves) == 1:  # its range is its line: one line, not three
            [(x, y)] = curves
            return _drawn(key, x, smoothed(y, wanted.smooth), None, wanted)
        x = np.unique(np.concatenate([xs for xs, _ in curves]))
        rows = np.array(
            [np.interp(x, xs, ys, left=np.nan, right=np.nan) for xs, ys in curves]
        )
        with np.errstate(all="ignore"):
            mean, low, high = _mean(rows), _least(rows), -_least(-rows)
        mean = smoothed(mean, wanted.smooth)
        found = _drawn(key, x, mean, None, wanted, low=low, high=high)
        return replace(found, n_runs=len(curves))

    def _xy(self, run: str, metric: str, x: str) -> tuple[Floats, Floats] | None:
        key = (run, metric, x)
        n_points = self._store.count_points(run, metric)
        if not n_points:
            return None
        known = self._read.get(key)
        if known is not None and known[2] == n_points:
            return known[:2]
        found = read_xy(self._store, run, metric, x)
        if found is not None:
            self._read.pop(key, None)  # the newest stands last
            self._read[key] = (*found, n_points)
            while self._is_too_much():
                self._read.pop(next(iter(self._read)))
        return found

    def _is_too_much(self) -> bool:
        if len(self._read) > self._most:
            return True
        if self._points_kept is None or len(self._read) == 1:
            return False
        return sum(n for _, _, n in self._read.values()) > self._points_kept


def read_xy(
    store: Source, run: str, metric: str, x: str = "step"
) -> tuple[Floats, Floats] | None:
    """All points of a curve by x: a step, an axis, a time, or another metric.

    Parameters
    ----------
    x
        "step", "time" (seconds since 1970), "relative" (seconds since the run began),
        a loop counter such as "epoch", or a metric, joined on the step.

    Returns
    -------
    tuple or None
        x and y, each of shape (n,), with x rising; None where the run lacks either.
    """
    import numpy as np

    try:
        curve = store.curve(run, metric)
    except MetricNotFoundError:
        return None
    y = np.asarray(curve.values, dtype=np.float64)
    at = _x_of(store, run, curve, x)
    if at is None:
        return None
    # Most rise already; to put 100,000 points in order takes as long as to read them.
    if not np.isnan(at[:1]).any() and (at[1:] >= at[:-1]).all():
        return at, y
    order = np.argsort(at, kind="stable")
    order = order[~np.isnan(at[order])]
    return at[order], y[order]


def _x_of(store: Source, run: str, curve: Any, x: str) -> Floats | None:
    import numpy as np

    if x == "step":
        return np.asarray(curve.steps, dtype=np.float64)
    if x in ("time", "relative"):
        at = np.asarray(curve.at, dtype=np.float64)
        return at if x == "time" else at - _began(store, run)
    if x in curve.axes:
        return np.asarray(curve.axes[x], dtype=np.float64)
    try:
        other = store.curve(run, x)
    except MetricNotFoundError:
        return None
    steps = np.asarray(other.steps)
    if not len(steps):
        return None
    place = np.clip(np.searchsorted(steps, curve.steps), 0, len(steps) - 1)
    found = np.asarray(other.values, dtype=np.float64)[place]
    return np.where(steps[place] == np.asarray(curve.steps), found, np.nan)


def _began(store: Source, run: str) -> float:
    return epoch_s(store.run(run).started_at)


def _drawn(
    key: str,
    x: Floats,
    y: Floats,
    smooth: Floats | None,
    wanted: Wanted,
    *,
    low: Floats | None = None,
    high: Floats | None = None,
) -> Drawn:
    chosen = _positions(x, y, low, high, wanted)

    def part(column: Floats | None) -> Floats | None:
        return None if column is None else column[chosen]

    is_thinned = len(chosen) < _n_within(x, wanted.span)
    return Drawn(
        key, x[chosen], y[chosen], part(smooth), part(low), part(high),
        n_points=len(x), is_thinned=is_thinned,
    )  # fmt: skip


def _positions(
    x: Floats, y: Floats, low: Floats | None, high: Floats | None, wanted: Wanted
) -> NDArray[np.intp]:
    """Which points are drawn: the extremes of each bucket of the part in view."""
    import numpy as np

    begin, end = _within(x, wanted.span)
    kept = [_extremes(y[begin:end], wanted.points)]
    kept += [
        _extremes(c[begin:end], wanted.points) for c in (low, high) if c is not None
    ]
    found: NDArray[np.intp] = np.unique(np.concatenate(kept)) + begin
    return found


def _within(x: Floats, span: Span | None) -> tuple[int, int]:
    """The part in view and one point more on either side, for the lines that leave."""
    import numpy as np

    if span is None:
        return 0, len(x)
    begin, end = np.searchsorted(x, span[0]), np.searchsorted(x, span[1], side="right")
    return max(int(begin) - 1, 0), min(int(end) + 1, len(x))


def _n_within(x: Floats, span: Span | None) -> int:
    begin, end = _within(x, span)
    return end - begin


def _extremes(y: Floats, points: int) -> NDArray[np.intp]:
    """Positions of the least, the greatest and the first NaN of each bucket."""
    import numpy as np

    if len(y) <= points:
        return np.arange(len(y))
    size = -(-2 * len(y) // points)
    n_full = len(y) // size
    block = y[: n_full * size].reshape(n_full, size)
    holes = np.isnan(block)
    least = np.argmin(np.where(holes, np.inf, block), axis=1)
    most = np.argmax(np.where(holes, -np.inf, block), axis=1)
    first = np.arange(n_full) * size
    nans = (first + holes.argmax(axis=1))[holes.any(axis=1)]
    rest = np.arange(n_full * size, len(y))
    ends = np.array([0, len(y) - 1])
    return np.unique(np.concatenate([first + least, first + most, nans, rest, ends]))


def _single(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """One finite value for each x, of several the last: to interpolate between."""
    import numpy as np

    is_finite = np.isfinite(y)
    if not is_finite.all():
        x, y = x[is_finite], y[is_finite]
    is_last = np.append(np.diff(x) > 0, True) if len(x) else np.zeros(0, dtype=bool)
    return (x, y) if is_last.all() else (x[is_last], y[is_last])


def _mean(rows: Floats) -> Floats:
    import numpy as np

    is_there = ~np.isnan(rows)
    total = np.where(is_there, rows, 0.0).sum(axis=0)
    found: Floats = total / is_there.sum(axis=0)
    return found


def _least(rows: Floats) -> Floats:
    import numpy as np

    found: Floats = np.where(np.isnan(rows), np.inf, rows).min(axis=0)
    return np.where(np.isinf(found), np.nan, found)
