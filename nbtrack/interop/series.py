"""Gathers points that come by the step into series, a column for each part."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbtrack.interop.foreign import ForeignSeries
from nbtrack.records import Goal


@dataclass(slots=True)
class Columns:
    """The points of one metric, in the order they were logged."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    at: array[float] = field(default_factory=lambda: array("d"))

    def add(self, step: int, value: float, at: float) -> None:
        """One point more; OverflowError for a step beyond 64 bits."""
        self.steps.append(step)  # the first: what it refuses leaves nothing behind
        self.values.append(value)
        self.at.append(at)


class Gathered:
    """Series by name, in the order in which the names came; 24 bytes a point.

    >>> points = Gathered()
    >>> points.add("loss", step=0, value=0.5, at=1.0)
    >>> [(series.name, list(series.values)) for series in points.series()]
    [('loss', [0.5])]
    """

    def __init__(self) -> None:
        self.columns: dict[str, Columns] = {}

    def add(self, name: str, *, step: int, value: float, at: float) -> None:
        """One more point of a metric; OverflowError for a step beyond 64 bits."""
        columns = self.columns.get(name)
        if columns is None:
            columns = self.columns.setdefault(name, Columns())
        columns.add(step, value, at)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def n_of(self, name: str) -> int:
        """How many points a metric has so far."""
        return len(self.columns[name].steps) if name in self.columns else 0

    def series(self, goals: dict[str, Goal] | None = None) -> Iterator[ForeignSeries]:
        """All of them."""
        for name, columns in self.columns.items():
            yield ForeignSeries(
                name, columns.steps, columns.values, columns.at,
                goal=(goals or {}).get(name),
            )  # fmt: skip
