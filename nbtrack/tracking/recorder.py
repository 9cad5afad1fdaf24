"""The metrics half of the live run: `log()`, and what the watcher calls.

`Recorder` is what `Run` is built on: it knows the run's id, its journal and its stop
switch, and nothing of files, params or the end of a run. The hot path is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.errors import OptionError, ValueNotLoggedError
from nbtrack.guard import guard
from nbtrack.records import Goal, Status
from nbtrack.text import clean_name, shorten
from nbtrack.tracking.metrics import Metrics
from nbtrack.tracking.numbers import as_number, flatten, whole_step
from nbtrack.tracking.stop import StopSwitch

if TYPE_CHECKING:
    from datetime import datetime

    from nbtrack.store import Journal


class Recorder:
    """Writes the metrics of one run to its journal; implements `MetricSink`."""

    def __init__(self, journal: Journal, *, id: str, name: str) -> None:
        self.id = id
        self.name = name
        self.status: Status = "running"
        self.n_dropped = 0
        self.stop = StopSwitch(name)
        self.logged_names: set[str] = set()  # by hand: the watcher leaves these alone
        self._journal = journal
        self._metrics = Metrics(id, journal)
        self._series = self._metrics.by_name
        self._axes = self._metrics.axes
        self._watched = self._metrics.watched
        self._behind: dict[int, int] = {}  # of a resumed run: series -> first step
        self._point: Callable[[int, int, float, float], None] = journal.point

    def log(
        self,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        step: int | None = None,
        at: float | datetime | str | None = None,
        **named: Any,  # any scalar type of any library
    ) -> None:
        """Keep metric values; a point is safe from kill -9 when this returns.

        Parameters
        ----------
        values : mapping, optional
            Names to numbers; nested mappings become dotted names.
        step : int, optional
            Any order; the same step again replaces the earlier value on reading.
            Default: how often that metric was logged before.
        at : float, datetime or str, optional
            When, for a run that is filled in afterwards; seconds since the epoch or
            ISO 8601. Default: now.
        **named
            The same as keywords: `run.log(loss=0.3, acc=0.9)`.

        Raises
        ------
        RunStopped
            After Stop was pressed, outside `nbtrack.epochs`.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.log({"loss": 0.5}, step=10)
        ...     run.log(loss=0.4, acc=0.9)
        """
        if self.stop.requested:
            self.stop.check()
        if named:
            values = {**values, **named} if values else named
        if values:
            if step is not None and type(step) is not int:
                step = self._as_step(step)
            self._log(values, step, time.time() if at is None else self._moment(at))

    def _log(self, values: Mapping[str, Any], step: int | None, at: float) -> None:
        # The hot path: one scalar costs about a microsecond, so locals and no helpers.
        known, point, axes = self._series, self._point, self._axes
        series = None
        try:  # costs nothing where it is a mapping
            items = values.items()
        except AttributeError:
            self._drop_nameless(values)
            return
        for name, value in items:
            series = known.get(name)
            if type(value) is not float or series is None:
                self._log_slowly(name, value, step, at)
                continue
            if step is None:
                series.step = own = series.auto_step()
            else:
                series.step = own = step
                series.resume_at = step + 1
            series.latest = value
            point(series.id, own, value, at)
            if axes:
                self._metrics.log_axes(series, own, at)
        if series is not None:
            self._metrics.last = series

    def _log_slowly(self, name: str, value: Any, step: int | None, at: float) -> None:
        """First uses, other number types, nested mappings and things we must refuse."""
        if self.status != "running":
            self._late_point()
            return
        if isinstance(value, Mapping):
            self._log(dict(flatten({name: value})), step, at)
            return
        try:
            number = as_number(name, value)
        except ValueNotLoggedError as exc:
            self._drop(name, exc)
            return
        if name not in self._series:
            self._metrics.declare(name)
            self.logged_names.add(name)
        self._log({name: number}, step, at)

    def _as_step(self, step: Any) -> int | None:
        """A step of another type; one that is no whole number is left out, and said."""
        try:
            return whole_step(step)
        except ValueNotLoggedError as exc:
            guard.warn_once(f"step: {self.id}", str(exc))
            return None

    def _moment(self, at: float | datetime | str) -> float:
        """A time that was given; for what is none the time of now, and that is said."""
        from nbtrack.tracking.moments import as_epoch_seconds

        try:
            return as_epoch_seconds("at", at)
        except OptionError as exc:
            guard.warn_once(f"at: {self.id}", str(exc))
            return time.time()

    def _drop(self, name: str, exc: ValueNotLoggedError) -> None:
        self.n_dropped += 1
        guard.warn_once(f"not a number: {self.id}.{name}", str(exc))

    def _drop_nameless(self, value: object) -> None:
        self.n_dropped += 1
        guard.warn_once(
            f"nameless: {self.id}",
            f"{shorten(repr(value), 60)} was not logged: it has no name. "
            "Write log(loss=...) or log({'loss': ...}).",
        )

    def _late_point(self, *_: object) -> None:
        """What stands for the journal once the run has ended."""
        self.n_dropped += 1
        self._warn_late()

    def set_axis(self, name: str, value: float) -> None:
        """Say where the run is (`epoch` 3): stored beside each metric logged from now.

        Examples
        --------
        >>> import nbtrack
        >>> with nbtrack.start() as run:
        ...     run.set_axis("epoch", 3)
        ...     run.log(loss=0.1)
        """
        self._axes[name] = float(value)

    def drop_axis(self, name: str) -> None:
        """The loop that counted this axis is over."""
        self._axes.pop(name, None)

    def set_goal(self, metric: str, goal: Goal) -> None:
        """Say whether `metric` is to be made small ("min") or large ("max").

        Raises
        ------
        OptionError
            For any other word.
        """
        if goal not in ("min", "max"):
            raise OptionError(
                f"goal {goal!r} of {metric!r} is neither 'min' nor 'max'."
            )
        self._metrics.goals[metric] = goal
        kept = self._metrics.kept_name(metric)
        self._emit("metric_changed", name=kept, fields={"goal": goal})

    def said_goals(self) -> dict[str, Goal]:
        """The goals that `set_goal` was told, by metric."""
        return dict(self._metrics.goals)

    def latest_metrics(self) -> dict[str, float]:
        """The last value of every metric, logged or watched."""
        return self._metrics.latest()

    def latest_step(self) -> int | None:
        """The step of the metric that came last; None before the first."""
        return self._metrics.latest_step()

    def check_stop(self) -> None:
        """Raise `RunStopped` when that is due; see `nbtrack.tracking.stop`."""
        self.stop.check()

    def declare(self, name: str, *, axis_of: str | None = None) -> int:
        """A series of a watched metric, or of one of its axes."""
        series = self._metrics.declare_watched(name, axis_of)
        if self._metrics.next_steps:
            metric = self._metrics.kept_name(name if axis_of is None else axis_of)
            self._behind[series] = self._metrics.next_steps.get(metric, 0)
        return series

    def continue_from(self, steps: Mapping[str, int]) -> None:
        """Let each metric go on at its step, logged or watched; before the first."""
        self._metrics.next_steps = {clean_name(k): n for k, n in steps.items()}
        for series in self._metrics.by_name.values():
            series.resume_at = self._metrics.next_steps.get(series.name)
        # The watcher counts from 0 in every cell. Only resumed runs pay for the sum.
        self.point, self.axis_point = self._point_behind, self._axis_point_behind  # type: ignore[method-assign]

    def next_steps(self) -> dict[str, int]:
        """Where each metric would go on, were the run resumed now."""
        return self._metrics.next_steps | self._metrics.steps_to_come()

    def point(self, series: int, step: int, value: float, at: float) -> None:
        """Append a watched point, and remember it as the latest of its metric."""
        noted = self._watched.get(series)
        if noted is not None:
            noted.step, noted.latest = step, value
            self._metrics.last = noted
        self._point(series, step, value, at)

    def axis_point(self, series: int, step: int, value: float, at: float) -> None:
        """Append a point of an axis of a watched metric."""
        self._point(series, step, value, at)

    def on_points_of(self, metric: str, look: Callable[[int, float], None]) -> None:
        """Let `look` see the step and value of each point of a metric, once it is kept.

        A stop that it asks for is carried out at the end of that very `log()`.
        """
        point, names = self._point, self._metrics

        def seen(series: int, step: int, value: float, at: float) -> None:
            point(series, step, value, at)
            if names.name_of(series) == metric:
                look(step, value)

        self._point = seen
        self.log = self._log_and_check  # type: ignore[method-assign]

    def _log_and_check(self, *values: Any, **named: Any) -> None:
        """What stands for `log` while somebody looks at the points."""
        Recorder.log(self, *values, **named)
        self.stop.check()

    def thinned(self, name: str, k: int) -> None:
        """About one point in `k` of this metric is kept: said wherever it is shown."""
        kept = self._metrics.kept_name(name)
        self._emit("metric_changed", name=kept, fields={"thinned": k})

    # -- inside

    def _point_behind(self, series: int, step: int, value: float, at: float) -> None:
        Recorder.point(self, series, step + self._behind.get(series, 0), value, at)

    def _axis_point_behind(
        self, series: int, step: int, value: float, at: float
    ) -> None:
        self._point(series, step + self._behind.get(series, 0), value, at)

    def _emit(self, kind: str, **fields: Any) -> None:
        if self.status != "running":
            self._warn_late()
            return
        self._journal.emit({"kind": kind, "run": self.id, **fields})

    def _warn_late(self) -> None:
        guard.warn_once(
            f"finished: {self.id}",
            f"run {self.name!r} is {self.status}; what is recorded after that is not "
            "kept. Start a new run.",
        )
