"""One watched series: counts, keeps, thins. `hit` is what a user's loop pays for.

Every point is kept while an iteration takes 100 us or more, and the first ones always.
In a tighter loop one value in k is kept, with the lowest and the highest of those
between, so the curve's shape, its first, last and extreme values stay.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

from nbtrack.capture.watch_device import DeviceQueue
from nbtrack.capture.watch_values import Later, NotScalar, entries_of, read_value

SLOW_ENOUGH_S = 95e-6  # 100 us less the noise of a clock: all points are kept
WINDOW_S = 400e-6  # three points of a window cost about 1 % of that
KEPT_FIRST = 1000  # about a millisecond in all; short loops keep every point
LOOK_EVERY = 64  # hits between two looks at the pace
K_MAX = 1 << 20
ENTRIES_MAX = 16  # of a dict of values; more are data

_UNKNOWN = math.nan  # an axis whose loop has not begun

Axes = tuple[Any, ...]  # loop counters as the user's loop has them
Pending = tuple[int, float, Axes]  # step, value, counters


class StopFlag(Protocol):
    """Whether Stop was pressed, as an attribute that every hit can afford to read."""

    requested: bool


class MetricSink(Protocol):
    """What a watcher writes to; a live run is one."""

    @property
    def stop(self) -> StopFlag:
        """The flag of the run; `check_stop` says what a raised one means."""

    @property
    def logged_names(self) -> Collection[str]:
        """Metrics that the user logs by hand; these win."""

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        """The number of a series, or of an axis of one."""

    def point(self, series: int, step: int, value: float, at: float) -> None:
        """Append one point of a metric."""

    def axis_point(self, series: int, step: int, value: float, at: float) -> None:
        """Append one point of an axis, which nobody asks for the latest value of."""

    def check_stop(self) -> None:
        """Raise RunStopped when that is due."""

    def thinned(self, name: str, k: int) -> None:
        """About one point in k is kept from now on."""


def is_index(value: Any) -> bool:
    """Whether a loop variable is a number: an int of any library, or a float.

    >>> is_index(3), is_index(0.1), is_index(True), is_index([3])
    (True, True, False, False)
    """
    if isinstance(value, int | float):
        return not isinstance(value, bool)
    if not hasattr(type(value), "__index__") or hasattr(type(value), "detach"):
        return False  # a tensor: asking its value may wait for a device
    return not getattr(value, "shape", ())


class Counters:
    """The loop counters around calls of watched functions, as they stand now."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}  # Any: what the user's loop counts with


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
    entry
        Makes the recorder of one entry, where the value is a dict of values.
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
        entry: Callable[[str], Recorder] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.sink = sink
        self.count = 0
        self.k = 1
        self.largest_k = 1
        self.is_off = False
        self.reason = ""  # why it is off, when that is worth saying
        self.late_name: Callable[[], str] | None = None  # asked for at the first value
        self.is_guess = False  # a value that is no scalar was none to be expected
        self.was_declared = False
        self._outer = tuple(o for o in outer if o not in axes)
        self._axis_names = (*axes, *self._outer)
        self._counters = counters or Counters()
        self._queue = queue if queue is not None else DeviceQueue()
        self._clock = clock
        self._series: int | None = None
        self._stop = sink.stop
        self._point: Callable[[Any, int, float, float], None] = sink.point
        self._axis_point = sink.axis_point
        self._logged = sink.logged_names
        self._axis_series: list[int] = []
        self._innermost = -1
        self._seen_axes: Axes = ()
        self._is_plain = False  # declared, its counters all come with the call
        self._held: tuple[int, float, Axes, float] | None = None
        self.waits = waits
        self._picks: tuple[int, ...] | None = None  # which of the counters are numbers
        self._entry = entry
        self._entries: dict[str, Recorder] = {}
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
        # One frame and no helpers for a float: this is what tight loops pay for.
        self.count = count = self.count + 1
        if value.__class__ is not float or not self._is_plain:
            self._hit_slowly(count, value, axes)
        elif count < self._due:
            self._last = last = (count - 1, value, axes)
            if value < self._low:
                self._low, self._lowest = value, last
            elif not value <= self._high:
                self._new_high(value, last)
            return
        else:
            at = self._clock()
            if self._logged and self.name in self._logged:
                self.turn_off("logged by hand")
                return
            if count > self._look_at:
                self._look(at)
            if axes != (seen := self._seen_axes):
                if seen and axes[:-1] == seen[:-1]:  # only the innermost has moved
                    self._seen_axes = axes
                    moved = float(axes[-1])
                    self._axis_point(self._innermost, count - 1, moved, at)
                else:
                    self._write_axes(count - 1, axes, at)
            self._point(self._series, count - 1, value, at)
        if self._stop.requested:
            self.sink.check_stop()

    def _hit_slowly(self, count: int, value: Any, axes: Axes) -> None:
        """The first value, one of another type, or one with counters from elsewhere."""
        if self.is_off:
            return
        if self._picks is not None:
            axes = tuple(axes[i] for i in self._picks)
        if self._outer:
            now = self._counters.values
            axes = (*axes, *(now.get(name, _UNKNOWN) for name in self._outer))
        if count < self._due:
            self._skip(count, value, axes)
        else:
            self._keep_slowly(count - 1, value, axes)

    # -- keeping ----------------------------------------------------------------------

    def _keep(self, step: int, value: float, axes: Axes) -> None:
        at = self._clock()
        if step >= self._look_at:
            self._look(at)
        self._write(step, value, axes, at)

    def _keep_slowly(self, step: int, value: Any, axes: Axes) -> None:
        """The first value, one of another type, one on a device."""
        entries = entries_of(value, self.name)
        if entries is not None:
            self._spread(entries, axes)
            return
        reading = read_value(value)
        if isinstance(reading, NotScalar):
            if self._series is None and self._held is None and reading.what:
                self.turn_off("" if self.is_guess else reading.what)
            return
        if self.name in self._logged:
            self.turn_off("logged by hand")
            return
        if self._series is None:
            axes = self._pick(axes)
            if self._must_wait(step, reading, axes):
                return
        self._declare()
        if isinstance(reading, Later):
            self._keep_later(step, reading, axes)
        else:
            self._keep(step, reading, axes)

    def _pick(self, axes: Axes) -> Axes:
        """Leave out counters that turn out to be no numbers: `for i in batches`."""
        numbers = [i for i, value in enumerate(axes) if is_index(value)]
        if len(numbers) < len(axes):
            local = len(axes) - len(self._outer)
            self._picks = tuple(i for i in numbers if i < local)
            self._outer = tuple(self._axis_names[i] for i in numbers if i >= local)
            self._axis_names = tuple(self._axis_names[i] for i in numbers)
            axes = tuple(axes[i] for i in numbers)
        return axes

    def _spread(self, values: dict[Any, Any], axes: Axes) -> None:
        """`losses = {"train": x, "val": y}`: a series for each entry."""
        if self._entry is None or len(values) > ENTRIES_MAX:
            self.turn_off(f"dict of {len(values)}")
            return
        for key, value in values.items():
            if isinstance(key, str):
                if key not in self._entries:
                    self._entries[key] = self._entry(key)
                self._entries[key].hit(value, axes)

    def _must_wait(self, step: int, reading: float | Later, axes: Axes) -> bool:
        if not self.waits or self._held is not None or isinstance(reading, Later):
            return False
        self._held = (step, reading, axes, self._clock())
        return True

    def _declare(self) -> None:
        if self._series is None:
            self.name = self.late_name() if self.late_name else self.name
            self._series = self.sink.declare(self.name)
            self.was_declared = True
            # The run may have begun after this recorder was made: bind to it directly.
            self._stop, self._point = self.sink.stop, self.sink.point
            self._axis_point = self.sink.axis_point
            self._is_plain = self._picks is None and not self._outer
            self._axis_series = [
                self.sink.declare(axis, axis_of=self.name) for axis in self._axis_names
            ]
            self._innermost = self._axis_series[-1] if self._axis_series else -1
            if self._held is not None:
                step, value, axes, at = self._held
                self._write(step, value, axes, at)
                self._held = None

    def _keep_later(self, step: int, later: Later, axes: Axes) -> None:
        at = self._clock()
        if step >= self._look_at:
            self._look(at)
        if axes != self._seen_axes:
            self._write_axes(step, axes, at)
        self._queue.put(later, step, at, self._resolved)

    def _resolved(self, step: int, value: float, at: float) -> None:
        self._point(self._series, step, value, at)

    def _write(self, step: int, value: float, axes: Axes, at: float) -> None:
        if axes != self._seen_axes:
            self._write_axes(step, axes, at)
        self._point(self._series, step, value, at)

    def _write_axes(self, step: int, axes: Axes, at: float) -> None:
        # Values equal to the ones before are not repeated: readers carry them forward.
        seen = self._seen_axes
        self._seen_axes = axes
        for index, value in enumerate(axes):
            is_new = not seen or value != seen[index]
            if is_new and value is not _UNKNOWN:
                self._axis_point(self._axis_series[index], step, float(value), at)

    # -- thinning --------------------------------------------------------------------

    def _skip(self, count: int, value: Any, axes: Axes) -> None:
        """A value between two kept ones, of another type or with other counters."""
        reading = read_value(value)
        if not isinstance(reading, float):
            return
        self._last = last = (count - 1, reading, axes)
        if reading < self._low:
            self._low, self._lowest = reading, last
        elif not reading <= self._high:
            self._new_high(reading, last)

    def _new_high(self, value: float, pending: Pending) -> None:
        """The highest value of the window; the first NaN of it counts as its lowest."""
        if value == value:
            self._high, self._highest = value, pending
            if self._lowest is None:
                self._low, self._lowest = value, pending
        elif self._low > -math.inf:
            self._low, self._lowest = -math.inf, pending

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
        self._series, self._held, self._is_plain = None, None, False
        self._due, self._look_at = 0, 1 << 62
        self._lowest = self._highest = self._last = None

    def finish(self) -> None:
        """Write what was held back."""
        if self.is_off:
            return
        if self._held is not None and self.name not in self._logged:
            self._declare()
        if self._series is not None:
            self.flush()
