"""A metric's points as a bundle has them: a line of JSON for each series.

JSON has no NaN and no infinities; they stand there as words. Everything else comes back
as the double it was.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbtrack.errors import BundleError
from nbtrack.records import Goal, MetricSummary, RunRecord
from nbtrack.slices.compare import is_timing
from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.store import Store

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: steps, values and axes of the same length."""

    name: str
    steps: array[int]
    values: array[float]
    axes: Mapping[str, array[float]] = field(default_factory=dict)
    goal: Goal | None = None
    thinned: int = 1
    is_timing: bool = False


def series_of_run(store: Store, run: RunRecord) -> dict[str, Series]:
    """All series of a run but those of the machine.

    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     nbtrack.log(loss=0.5)
    >>> series_of_run(nbtrack.open(), run.record())["loss"].values
    array('d', [0.5])
    """
    return {n: _of_run(store, run.id, metric) for n, metric in run.metrics.items()}


def _of_run(store: Store, run_id: str, metric: MetricSummary) -> Series:
    curve = store.curve(run_id, metric.name)
    return Series(
        metric.name,
        array("q", curve.steps),
        array("d", curve.values),
        {name: array("d", column) for name, column in curve.axes.items()},
        metric.goal,
        metric.thinned,
        is_timing(metric.name),
    )


def series_of_lines(text: bytes) -> dict[str, Series]:
    """The series of `results/metrics.jsonl`.

    Raises
    ------
    BundleError
        For a line that is no series, with its number.

    >>> line = b'{"metric": "loss", "steps": [0], "values": ["NaN"], "axes": {}}'
    >>> series_of_lines(line)["loss"].values
    array('d', [nan])
    """
    found = {}
    for number, line in _numbered(text):
        try:
            made = _of_line(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as exc:
            why = shorten(f"{type(exc).__name__}: {exc}", 100)
            raise BundleError(
                f"results/metrics.jsonl, line {number}, is no series ({why})."
            ) from exc
        found[made.name] = made
    return found


def _numbered(text: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line


def _of_line(told: Mapping[str, Any]) -> Series:
    name = told["metric"]
    steps, values = array("q", told["steps"]), _column(told["values"])
    axes = {axis: _column(column) for axis, column in told["axes"].items()}
    lengths = {len(steps), len(values), *map(len, axes.values())}
    if not isinstance(name, str) or len(lengths) != 1:
        raise ValueError("its columns are not of one length")
    goal = told.get("goal")
    if goal not in (None, "min", "max"):
        raise ValueError(f"its goal is {goal!r}")
    return Series(
        name, steps, values, axes, goal, int(told.get("thinned", 1)), is_timing(name)
    )


def _column(numbers: list[Any]) -> array[float]:
    return array("d", (_WORDS[n] if isinstance(n, str) else n for n in numbers))
