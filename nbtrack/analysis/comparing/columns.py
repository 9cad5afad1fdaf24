"""Runs beside each other: columns that can be sorted, marked and held against another.

A column of a metric holds the best value by its goal, with its step, never the last one
of a run that got worse. What is best and worst is said per column across runs, by the
metric's own goal: ties are all best, NaN and missing values are neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.query import MISSING, column
from nbtrack.analysis.runs_table import names_of, tag_texts
from nbtrack.records import Goal

if TYPE_CHECKING:
    from nbtrack.store import Table

Kind = Literal["field", "metric", "param"]
FIELDS = ("status", "started_at", "duration_s", "group", "tags", "experiment", "grade")
_ALWAYS = ("status", "started_at", "duration_s")


@dataclass(frozen=True, slots=True)
class Column:
    """One thing about each run, in the order of the runs; None where it lacks it."""

    name: str  # as the query language has it: best.loss, params.lr
    kind: Kind
    values: Sequence[Any]  # Any: params are what the user had
    goal: Goal | None = None
    steps: Sequence[int | None] | None = None  # of the best values

    @property
    def differs(self) -> bool:
        """Whether the runs do not all have the same, of the same type."""
        return len({(type(value), _same(value)) for value in self.values}) > 1

    @property
    def is_number(self) -> bool:
        """Whether every value that is there is a number."""
        there = [value for value in self.values if value is not None]
        return bool(there) and all(map(_is_number, there))

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
    numbers = [(at, v) for at, v in enumerate(values) if _is_number(v) and v == v]
    found = {value for _, value in numbers}
    if goal is None or len(found) < 2:
        return Marks()
    best, worst = min(found), max(found)
    if goal == "max":
        best, worst = worst, best
    return Marks(
        frozenset(at for at, value in numbers if value == best),
        frozenset(at for at, value in numbers if value == worst),
    )


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


def _has(table: Table, name: str) -> bool:
    return name == "tags" or name in table.fields


def _field(table: Table, name: str) -> Column:
    if name == "tags":
        texts = [tag_texts(table.tags.get(run, {})) for run in table.ids]
        return Column(name, "field", [", ".join(text) or None for text in texts])
    return Column(name, "field", list(table.fields[name]))


def _metric(table: Table, name: str) -> Column:
    cells = table.metrics[name]
    goals = {cells[run].goal for run in table.ids if run in cells} - {None}
    goal: Any = goals.pop() if len(goals) == 1 else None
    space = "best" if goal else "metrics"
    steps = table.metric(name, "best_step", None) if goal else None
    values = column(table, f"{space}.{name}")
    return Column(f"{space}.{name}", "metric", _known(values), goal, steps)


def _param(table: Table, name: str) -> Column:
    return Column(f"params.{name}", "param", _known(column(table, f"params.{name}")))


def _known(values: Sequence[Any]) -> list[Any]:
    return [None if value is MISSING else value for value in values]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any) -> Any:
    """What two equal values share: NaN is NaN, a list is its text."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return value if isinstance(value, int | float | str | None) else repr(value)
