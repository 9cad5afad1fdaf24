"""One watched series: counts, keeps, thins. `hit` is what a user's loop pays for.

Every point is kept while an iteration takes 100 us or more, and the first ones always.
In a tighter loop one value in k is kept, with the lowest and the highest of those
between, so the curve's shape, its first, last and extreme values stay.
"""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

from nbtrack.capture.watch_device import DeviceQueue
from nbtrack.capture.watch_values import Later, NotScalar, read_value

SLOW_ENOUGH_S = 100e-6  # iterations from here on keep every point
WINDOW_S = 400e-6  # three points of a window cost about 1 % of that
KEPT_FIRST = 1000  # about a millisecond in all; short loops keep every point
LOOK_EVERY = 64  # hits between two looks at the pace
K_MAX = 1 << 20

Axes = tuple[Any, ...]  # loop counters as the user's loop has them
Pending = tuple[int, float, Axes]  # step, value, counters


class MetricSink(Protocol):
    """What a watcher writes to; a live run is one."""

    @property
    def stop_requested(self) -> bool:
        """Whether Stop was pressed; read at every hit."""

    @property
    def logged_names(self) -> Collection[str]:
        """Metrics that the user logs by hand; these win."""

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        """The number of a series, or of an axis of one."""

    def point(self, series: int, step: int, value: float, at: float) -> None:
        """Append one point."""

    def check_stop(self) -> None:
        """Raise RunStopped when that is due."""

    def thinned(self, name: str, k: int) -> None:
        """About one point in k is kept from now on."""


class Counters:
    """The loop counters around calls of watched functions, as they stand now."""

    __slots__ = ("values", "version")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}  # Any: what the user's loop counts with
        self.version = 0

    def set(self, name: str, value: Any) -> None:
        """A loop goes to its next round."""
        self.values[name] = value
        self.version += 1


class Recorder:
    """The points of one watched series.

    Parameters
    ----------
    name
        Of the series.
    axes
        Names of the counters that `hit` gets, in its order.
    outer
        Names of counters that `counters` holds: those around the calls of a function.
    waits
        Hold the first point until the second: the cell logs by hand, and may do so
        under this name.
    """

    def __init__(
        self,
        name: str,
        sink: MetricSink,
        *,
        axes: tuple[str, ...] = (),
        outer: tuple[str, ...] = (),
        counters: Counters | None = None,
        queue: DeviceQueue | None = None,
        waits: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.sink = sink
        self.count = 0
        self.k = 1
        self.largest_k = 1
        self.is_off = False
        self.reason = ""  # why it is off, when that is worth saying
        self.n_kept = 0
        self._outer = tuple(o for o in outer if o not in axes)
        self._axis_names = (*axes, *self._outer)
        self._counters = counters or Counters()
        self._queue = queue if queue is not None else DeviceQueue()
        self._clock = clock
        self._series: int | None = None
        self._axis_series: dict[str, int] = {}
        self._axis_values: dict[str, float] = {}
        self._seen_axes: Axes = ()
        self._seen_version = 0
        self._held: tuple[int, float, Axes, float] | None = None
        self._waits = waits
        # Thinning: `_due` is the count that is kept next, 0 while all are.
        self._due = 0
        self._look_at = KEPT_FIRST
        self._looked = (0, 0.0)
        self._low = self._high = 0.0
        self._lowest: Pending | None = None
        self._highest: Pending | None = None
        self._last: Pending | None = None

    def hit(self, value: Any, axes: Axes = ()) -> None:
        """The watched name got `value`; `axes` are the counters of the loops around."""
        self.count = count = self.count + 1
        if count < self._due:
            self._skip(count, value, axes)
        elif value.__class__ is float and self._series is not None:
            self._keep(count - 1, value, axes)
        else:
            self._keep_slowly(count - 1, value, axes)
        if self.sink.stop_requested:
            self.sink.check_stop()

    # -- keeping ---------------------------------------------------------------------

    def _keep(self, step: int, value: float, axes: Axes) -> None:
        at = self._clock()
        if self.sink.logged_names and self.name in self.sink.logged_names:
            self.turn_off("logged by hand")
            return
        if step >= self._look_at:
            self._look(at)
        if axes != self._seen_axes or self._counters.version != self._seen_version:
            self._write_axes(step, self._all_axes(axes), at)
            self._seen_axes, self._seen_version = axes, self._counters.version
        self.sink.point(self._series, step, value, at)  # type: ignore[arg-type]
        self.n_kept += 1

    def _keep_slowly(self, step: int, value: Any, axes: Axes) -> None:
        """The first value, one of another type, one on a device."""
        if self.is_off:
            return
        reading = read_value(value)
        if isinstance(reading, NotScalar):
            if self._series is None and self._held is None and reading.what:
                self.turn_off(reading.what)
            return
        if self.name in self.sink.logged_names:
            self.turn_off("logged by hand")
            return
        if self._series is None and self._must_wait(step, reading, axes):
            return
        self._declare()
        if isinstance(reading, Later):
            self._keep_later(step, reading, axes)
        else:
            self._keep(step, reading, axes)

    def _must_wait(self, step: int, reading: float | Later, axes: Axes) -> bool:
        if not self._waits or self._held is not None or isinstance(reading, Later):
            return False
        self._held = (step, reading, self._all_axes(axes), self._clock())
        return True

    def _declare(self) -> None:
        if self._series is None:
            self._series = self.sink.declare(self.name)
            if self._held is not None:
                step, value, axes, at = self._held
                self._write(step, value, axes, at)
                self._held = None

    def _keep_later(self, step: int, later: Later, axes: Axes) -> None:
        at = self._clock()
        if step >= self._look_at:
            self._look(at)
        self._write_axes(step, self._all_axes(axes), at)
        self._queue.put(later, step, at, self._resolved)

    def _resolved(self, step: int, value: float, at: float) -> None:
        assert self._series is not None
        self.sink.point(self._series, step, value, at)
        self.n_kept += 1

    def _write(self, step: int, value: float, axes: Axes, at: float) -> None:
        assert self._series is not None
        self._write_axes(step, axes, at)
        self.sink.point(self._series, step, value, at)
        self.n_kept += 1

    def _all_axes(self, axes: Axes) -> Axes:
        """With the counters of the loops around the call of the function."""
        if not self._outer:
            return axes
        now = self._counters.values
        return (*axes, *(now.get(name) for name in self._outer))

    def _write_axes(self, step: int, axes: Axes, at: float) -> None:
        # Values equal to the axis before are not repeated: readers carry them forward.
        for name, value in zip(self._axis_names, axes, strict=False):
            self._write_axis(name, value, step, at)

    def _write_axis(self, name: str, value: Any, step: int, at: float) -> None:
        if isinstance(value, float):
            number = value
        else:
            try:
                number = float(operator.index(value))
            except TypeError:
                return  # the loop goes over something else than numbers
        if self._axis_values.get(name) == number:
            return
        self._axis_values[name] = number
        series = self._axis_series.get(name)
        if series is None:
            series = self.sink.declare(name, axis_of=self.name)
            self._axis_series[name] = series
        self.sink.point(series, step, number, at)

    # -- thinning --------------------------------------------------------------------

    def _skip(self, count: int, value: Any, axes: Axes) -> None:
        """A value between two kept ones: remembered as the last, or as an extreme."""
        if value.__class__ is not float:
            reading = read_value(value)
            if not isinstance(reading, float):
                return
            value = reading
        self._last = last = (count - 1, value, self._all_axes(axes))
        if value < self._low:
            self._low, self._lowest = value, last
        elif value > self._high:
            self._high, self._highest = value, last
        elif value != value and self._lowest is None:
            self._lowest = last

    def _look(self, at: float) -> None:
        """Set `k` by the pace of the hits since the last look."""
        step = self.count - 1
        before, then = self._looked
        self._looked = (step, at)
        self.flush(keep_last=False)
        pace = (at - then) / max(1, step - before)
        if not then or pace >= SLOW_ENOUGH_S:
            self._set_k(1)
        elif 0 < self.k * pace < WINDOW_S:
            self._set_k(min(self.k * 2, K_MAX))
        self._due = self.count + self.k if self.k > 1 else 0
        self._look_at = self._due - 1 if self.k > 1 else step + LOOK_EVERY
        self._low, self._high = math.inf, -math.inf

    def _set_k(self, k: int) -> None:
        self.k = k
        if k > self.largest_k:
            self.largest_k = k
            self.sink.thinned(self.name, k)

    def flush(self, *, keep_last: bool = True) -> None:
        """Write the extremes that wait, and the last value when the loop is over."""
        waiting = {p[0]: p for p in (self._lowest, self._highest) if p is not None}
        if keep_last and self._last is not None:
            waiting[self._last[0]] = self._last
        self._lowest = self._highest = self._last = None
        self._low, self._high = math.inf, -math.inf
        at = self._clock() if waiting else 0.0
        for step in sorted(waiting):
            _, value, axes = waiting[step]
            self._write(step, value, axes, at)

    # -- the end ---------------------------------------------------------------------

    def turn_off(self, reason: str) -> None:
        """Watch no more; what is kept stays."""
        self.is_off, self.reason = True, reason
        self._series, self._held = None, None
        self._due, self._look_at = 0, 1 << 62
        self._lowest = self._highest = self._last = None

    def finish(self) -> None:
        """Write what was held back."""
        if self.is_off:
            return
        if self._held is not None and self.name not in self.sink.logged_names:
            self._declare()
        if self._series is not None:
            self.flush()
