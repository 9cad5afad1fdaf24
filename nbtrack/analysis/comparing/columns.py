"""Runs beside each other: columns that can be sorted, marked and held against another.

A column of a metric holds the best value by its goal, with its step, never the last one
of a run that got worse. What is best and worst is said per column across runs, by the
metric's own goal: ties are all best, NaN and missing values are neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.runs_table import names_of, tag_texts
from nbtrack.records import Goal

if TYPE_CHECKING:
    from nbtrack.store import Table

Kind = Literal["field", "metric", "param"]
FIELDS = ("status", "started_at", "duration_s", "group", "tags", "experiment", "grade")
_ALWAYS = ("status", "started_at", "duration_s")


@dataclass(frozen=True)
class Column:
    """One thing about each run, in the order of the runs; None where it lacks it."""

    name: str  # as the query language has it: best.loss, params.lr
    kind: Kind
    values: Sequence[Any]  # Any: params are what the user had
    goal: Goal | None = None
    steps: Sequence[int | None] | None = None  # of the best values

    @cached_property
    def kinds(self) -> frozenset[type]:
        """The types of the values that are there."""
        return frozenset(map(type, self.values)) - {type(None)}

    @cached_property
    def differs(self) -> bool:
        """Whether the runs do not all have the same, of the same type."""
        if len(self.kinds) + (None in self.values) > 1:
            return True
        if self.kinds == {str}:  # of all of five thousand at once, not one by one
            return self.values.count(self.values[0]) < len(self.values)
        first = _same(self.values[0]) if self.values else None
        return any(_same(value) != first for value in self.values)

    @cached_property
    def is_number(self) -> bool:
        """Whether every value that is there is a number."""
        return bool(self.kinds) and self.kinds <= {int, float}

    @cached_property
    def marks(self) -> Marks:
        """Where the best and the worst values are."""
        return marks_of(self.values, self.goal)

    def take(self, places: Sequence[int]) -> Column:
        """The same of the runs at these places, in this order."""
        values = [self.values[at] for at in places]
        steps = None if self.steps is None else [self.steps[at] for at in places]
        return replace(self, values=values, steps=steps)


@dataclass(frozen=True, slots=True)
class Marks:
    """Positions of the best and the worst values of a column."""

    best: frozenset[int] = frozenset()
    worst: frozenset[int] = frozenset()


def columns_of(table: Table) -> list[Column]:
    """All columns: the status, metrics, params, then fields that say something.

    Examples
    --------
    >>> from nbtrack.store import Table
    >>> lr = {"lr": {"a": 0.1, "b": 0.2}}
    >>> runs = Table({"id": ["a", "b"], "status": ["finished"] * 2}, {}, lr, {})
    >>> [column.name for column in columns_of(runs)]
    ['status', 'params.lr']
    """
    fields = [_field(table, name) for name in FIELDS if _has(table, name)]
    shown = [c for c in fields if c.name in _ALWAYS or c.differs]
    metrics = [_metric(table, name) for name in names_of(table, table.metrics)]
    params = [_param(table, name) for name in names_of(table, table.params)]
    return [*shown[:1], *metrics, *params, *shown[1:]]


def marks_of(values: Sequence[Any], goal: Goal | None) -> Marks:
    """Where the best and the worst values are; none where all are the same.

    Examples
    --------
    >>> marks = marks_of([0.3, 0.1, float("nan"), 0.1, None], "min")
    >>> sorted(marks.best), sorted(marks.worst)
    ([1, 3], [0])
    """
    found = {value for value in values if _is_number(value) and value == value}
    if goal is None or len(found) < 2:
        return Marks()
    best, worst = min(found), max(found)
    if goal == "max":
        best, worst = worst, best
    return Marks(_where(values, best), _where(values, worst))


def delta_of(value: Any, base: Any) -> float | None:
    """How far a number is from the baseline's; None where either is no number.

    Examples
    --------
    >>> delta_of(0.75, 0.5), delta_of("a", 0.5)
    (0.25, None)
    """
    if not _is_number(value) or not _is_number(base):
        return None
    return float(value) - float(base)


def _where(values: Sequence[Any], wanted: float) -> frozenset[int]:
    return frozenset(
        at for at, v in enumerate(values) if v == wanted and not isinstance(v, bool)
    )


def _has(table: Table, name: str) -> bool:
    return name == "tags" or name in table.fields


def _field(table: Table, name: str) -> Column:
    if name == "tags":
        texts = {run: ", ".join(tag_texts(tags)) for run, tags in table.tags.items()}
        return Column(name, "field", [texts.get(run) or None for run in table.ids])
    return Column(name, "field", list(table.fields[name]))


def _metric(table: Table, name: str) -> Column:
    cells = table.metrics[name]
    goals = {cell.goal for cell in map(cells.get, table.ids) if cell} - {None}
    goal: Any = goals.pop() if len(goals) == 1 else None
    space = "best" if goal else "metrics"
    steps = table.metric(name, "best_step", None) if goal else None
    values = table.metric(name, "best" if goal else "last", None)
    return Column(f"{space}.{name}", "metric", values, goal, steps)


def _param(table: Table, name: str) -> Column:
    values = list(map(table.params[name].get, table.ids))
    return Column(f"params.{name}", "param", values)


def _is_number(value: Any) -> bool:
    return type(value) is float or type(value) is int


def _same(value: Any) -> Any:
    """What two equal values share: NaN is NaN, a list is its text."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value if isinstance(value, int | float | str | None) else repr(value)
