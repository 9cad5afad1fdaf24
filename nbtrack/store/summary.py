"""The summary of a metric, kept up at every drain so that tables never touch points.

`last` is the value at the highest step (logged last among equals), as in the curve.
`min` and `max` leave NaN out, which is counted; SQLite would turn a NaN into NULL, so
`last` keeps one as the text 'nan'.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, replace
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbtrack.store.chunks import Columns


@dataclass(slots=True)
class Summary:
    """The numbers of one row of `metrics`, by column."""

    n: int = 0
    last: float = math.nan
    last_step: int | None = None
    min: float | None = None
    min_step: int | None = None
    max: float | None = None
    max_step: int | None = None
    n_nan: int = 0
    first_nan_step: int | None = None

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Summary:
        """From the columns of `metrics` in the order of the fields here."""
        return cls(row[0], decoded(row[1]), *row[2:])

    def row(self) -> tuple[Any, ...]:
        """The columns of `metrics` in the order of the fields here."""
        return (
            self.n, encoded(self.last), self.last_step, self.min, self.min_step,
            self.max, self.max_step, self.n_nan, self.first_nan_step,
        )  # fmt: skip


def summary_with(summary: Summary, columns: Columns) -> Summary:
    """The summary after these points came in."""
    new = replace(summary, n=summary.n + len(columns.values))
    _take_last(new, columns)
    values, steps = columns.values, columns.steps
    total = sum(values)
    # A sum is NaN when a value is, or when +inf met -inf: then look closely.
    if total != total and any(map(math.isnan, values)):
        values, steps = _without_nan(new, values, steps)
    if values:
        _take_extremes(new, values, steps)
    return new


def encoded(value: float | None) -> float | str | None:
    """A float as SQLite keeps it: NaN as text."""
    return "nan" if value is not None and value != value else value


def decoded(value: float | str | None) -> float:
    """A float as SQLite kept it; NULL is NaN."""
    if type(value) is float:
        return value
    return math.nan if value is None or value == "nan" else float(value)


def _take_last(new: Summary, columns: Columns) -> None:
    steps = columns.steps
    highest = max(steps)
    if new.last_step is None or highest >= new.last_step:
        place = len(steps) - 1 - steps[::-1].index(highest)
        new.last, new.last_step = columns.values[place], highest


def _take_extremes(new: Summary, values: array[float], steps: array[int]) -> None:
    low, high = min(values), max(values)
    if new.min is None or low < new.min:
        new.min, new.min_step = low, steps[values.index(low)]
    if new.max is None or high > new.max:
        new.max, new.max_step = high, steps[values.index(high)]


def _without_nan(
    new: Summary, values: array[float], steps: array[int]
) -> tuple[array[float], array[int]]:
    is_nan = list(map(math.isnan, values))
    new.n_nan += sum(is_nan)
    if new.first_nan_step is None:
        new.first_nan_step = steps[is_nan.index(True)]
    kept = list(map(not_, is_nan))
    return array("d", compress(values, kept)), array("q", compress(steps, kept))
