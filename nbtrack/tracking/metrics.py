"""The metrics of one live run: names to series, default steps, axes, latest values.

The default step of a metric is how often that metric was logged; after an explicit
step it goes on from there. Axes (`epoch`, ...) that are set while a metric is logged
are kept as points of their own, only when their value changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Protocol

from nbtrack.metric_names import goal_of
from nbtrack.records import Goal
from nbtrack.text import clean_name


class Journal(Protocol):
    """What this module needs of the store's journal."""

    def series(
        self, run_id: str, name: str, *, goal: Goal | None, axis_of: str | None
    ) -> int:
        """Declare a series, idempotent per run, name and axis."""

    def point(self, series: int, step: int, value: float, at: float) -> None:
        """Append one point."""


class Series:
    """One metric of a live run. `next_step` is atomic: threads may share a name."""

    __slots__ = ("axes", "id", "latest", "name", "next_step", "resume_at", "step")

    def __init__(self, series_id: int, name: str) -> None:
        self.id = series_id
        self.name = name
        self.next_step: Callable[[], int] = itertools.count().__next__
        self.resume_at: int | None = None
        self.axes: dict[str, tuple[int, float | None]] = {}
        self.step = 0
        self.latest = float("nan")

    def auto_step(self) -> int:
        """The step of a point that was logged without one."""
        if self.resume_at is not None:
            self.next_step = itertools.count(self.resume_at).__next__
            self.resume_at = None
        return self.next_step()


class Metrics:
    """Names to series for one run; every method is safe from several threads."""

    def __init__(self, run_id: str, journal: Journal) -> None:
        self._run_id = run_id
        self._journal = journal
        self.by_name: dict[str, Series] = {}
        self.axes: dict[str, float] = {}
        self.watched: dict[int, Series] = {}
        self.last: Series | None = None
        self.goals: dict[str, Goal] = {}
        self.next_steps: dict[str, int] = {}  # of a resumed run, by metric
        self._names: dict[int, str] = {}  # of series, where somebody asks
        self.suffix = ""  # of every name, in another rank than the first

    def declare(self, name: str) -> Series:
        """The series of a metric, made at its first use.

        The key stays the name as the caller spelt it; what is stored is cleaned.
        """
        clean = self.kept_name(str(name))
        series = Series(self._declared(name, clean), clean)
        series.resume_at = self.next_steps.get(clean)
        return self.by_name.setdefault(name, series)

    def declare_watched(self, name: str, axis_of: str | None) -> int:
        """A series for the watcher, which counts its own steps."""
        if axis_of is not None:
            return self._axis(name, self.kept_name(axis_of))
        clean = self.kept_name(name)
        series_id = self._declared(name, clean)
        self.watched.setdefault(series_id, Series(series_id, clean))
        return series_id

    def kept_name(self, name: str) -> str:
        """The name under which a metric stands in the store."""
        return clean_name(name) + self.suffix

    def log_axes(self, series: Series, step: int, at: float) -> None:
        """Keep the axes that changed since this metric was logged last."""
        # A copy: another thread may begin or end a loop meanwhile.
        for name, value in list(self.axes.items()):
            axis, before = series.axes.get(name, (None, None))
            if value == before:
                continue
            if axis is None:
                axis = self._axis(name, series.name)
            series.axes[name] = (axis, value)
            self._journal.point(axis, step, value, at)

    def name_of(self, series_id: int) -> str | None:
        """The metric of a series; None for an axis."""
        if series_id not in self._names:
            every = [*self.watched.values(), *self.by_name.values()]
            self._names.update({series.id: series.name for series in every})
        return self._names.get(series_id)

    def latest(self) -> dict[str, float]:
        """The last value of every metric."""
        watched, logged = list(self.watched.values()), list(self.by_name.values())
        return {series.name: series.latest for series in (*watched, *logged)}

    def latest_step(self) -> int | None:
        """The step of the metric that was logged last; None before the first."""
        return None if self.last is None else self.last.step

    def steps_to_come(self) -> dict[str, int]:
        """The step behind the last one of each metric that has a value."""
        every = [*self.watched.values(), *self.by_name.values()]
        return {s.name: s.step + 1 for s in every if s.latest == s.latest or s.step}

    def _declared(self, name: str, clean: str) -> int:
        goal = self.goals.get(name) or goal_of(clean)
        return self._journal.series(self._run_id, clean, goal=goal, axis_of=None)

    def _axis(self, name: str, metric: str) -> int:
        return self._journal.series(
            self._run_id, clean_name(name), goal=None, axis_of=metric
        )
