"""`define_metric`: which axis a metric is drawn over, what its summary is, its goal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from nbtrack.compat.wandb.errors import Error
from nbtrack.compat.wandb.saying import say_once
from nbtrack.records import Goal, MetricSummary
from nbtrack.text import shorten

_KINDS = {"min", "max", "mean", "last", "first", "best", "copy", "none"}
_GOALS: dict[str, Goal] = {"minimize": "min", "maximize": "max"}


@dataclass(frozen=True, slots=True)
class Metric:
    """What was defined of a metric, or of all whose names fit a pattern."""

    name: str
    step_metric: str | None = None
    summary: tuple[str, ...] = ()
    goal: Goal | None = None
    hidden: bool = False


class Spread:
    """The values of one metric so far, as `summary=` asks for them."""

    __slots__ = ("first", "high", "low", "n", "total")

    def __init__(self, earlier: MetricSummary | None = None) -> None:
        self.n, self.total, self.first = 0, 0.0, math.nan
        self.low = math.inf if earlier is None else earlier.min
        self.high = -math.inf if earlier is None else earlier.max

    def add(self, value: float) -> None:
        """One value more; NaN counts for none of them."""
        if math.isnan(value):
            return
        self.first = value if self.n == 0 else self.first
        self.n, self.total = self.n + 1, self.total + value
        self.low, self.high = min(self.low, value), max(self.high, value)

    def told(self, metric: Metric, last: Any) -> dict[str, Any]:
        """What the summary has of it."""
        low_is_best = metric.goal != "max"
        values = {
            "min": self.low,
            "max": self.high,
            "mean": self.total / self.n if self.n else math.nan,
            "first": self.first,
            "best": self.low if low_is_best else self.high,
            "last": last,
        }
        return {kind: values[kind] for kind in metric.summary if kind in values}


class Definitions:
    """The metrics of one run that were defined."""

    def __init__(self) -> None:
        self._exact: dict[str, Metric] = {}
        self._patterns: dict[str, Metric] = {}
        self._found: dict[str, Metric | None] = {}  # as many as names: looked up once
        self._spreads: dict[str, Spread] = {}
        self.earlier: Mapping[str, MetricSummary] = {}  # of a run that goes on

    def add(
        self,
        name: str,
        *,
        step_metric: str | Metric | None,
        summary: str | None,
        goal: str | None,
        hidden: bool | None,
        overwrite: bool | None,
    ) -> Metric:
        """Define one, or add to what was defined.

        Raises
        ------
        Error
            For an empty name, a pattern with more than one star at its end, an unknown
            summary or goal.
        """
        metric = checked(name, step_metric, summary, goal, hidden)
        known = self._patterns if "*" in name else self._exact
        before = known.get(name)
        known[name] = metric if before is None or overwrite else _both(before, metric)
        self._found.clear()
        return known[name]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was defined."""
        return not (self._exact or self._patterns)

    def of(self, name: str) -> Metric | None:
        """What was defined for a metric; by its own name before that of a pattern."""
        if name not in self._found:
            fitting = (m for p, m in self._patterns.items() if fnmatchcase(name, p))
            self._found[name] = self._exact.get(name) or next(fitting, None)
        return self._found[name]

    def axis_of(self, name: str) -> str | None:
        """The metric over which this one is drawn."""
        found = self.of(name)
        axis = None if found is None else found.step_metric
        return None if axis == name else axis

    def summed_up(self, name: str, value: Any) -> Any:
        """What the summary has after this value; None for nothing."""
        found = self.of(name)
        if found is None or not found.summary:
            return value
        if "none" in found.summary:
            return None
        if not isinstance(value, int | float):
            return value
        if name not in self._spreads:
            self._spreads[name] = Spread(self.earlier.get(name))
        spread = self._spreads[name]
        spread.add(float(value))
        return spread.told(found, value) or value

    @property
    def special(self) -> list[str]:
        """The metrics whose summary is not their last value."""
        return list(self._spreads)


def checked(
    name: str,
    step_metric: str | Metric | None,
    summary: str | None,
    goal: str | None,
    hidden: bool | None,
) -> Metric:
    """One definition; see `Definitions.add`."""
    if not name:
        raise Error("define_metric() requires non-empty name argument")
    if "*" in name[:-1]:
        raise Error(
            f"Unhandled define_metric() arg: name {shorten(name, 60)!r}: a star may "
            "only be at its end"
        )
    axis = step_metric.name if isinstance(step_metric, Metric) else step_metric
    kinds = tuple((summary or "").replace(" ", "").split(",")) if summary else ()
    for kind in kinds:
        if kind not in _KINDS:
            raise Error(
                f"Unhandled define_metric() arg: summary op {shorten(kind, 60)!r}; "
                f"known: {', '.join(sorted(_KINDS))}"
            )
    if goal is not None and goal not in _GOALS:
        raise Error(
            f"Unhandled define_metric() arg: goal {shorten(str(goal), 60)!r}; known: "
            "minimize, maximize"
        )
    if "copy" in kinds:
        say_once("summary copy", "define_metric(summary='copy') is read as 'last'")
        kinds = tuple("last" if kind == "copy" else kind for kind in kinds)
    return Metric(name, axis, kinds, _goal(goal, kinds), bool(hidden))


def _goal(goal: str | None, kinds: tuple[str, ...]) -> Goal | None:
    """As it was said; else what the summary keeps is what the metric is to be."""
    if goal is not None:
        return _GOALS[goal]
    if ("min" in kinds) == ("max" in kinds):
        return None
    return "min" if "min" in kinds else "max"


def _both(before: Metric, metric: Metric) -> Metric:
    return replace(
        before,
        step_metric=metric.step_metric or before.step_metric,
        summary=metric.summary or before.summary,
        goal=metric.goal or before.goal,
        hidden=metric.hidden or before.hidden,
    )
