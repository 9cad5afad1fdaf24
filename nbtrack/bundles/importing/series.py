"""The curves of a bundle: results/metrics.jsonl, a line for each, into a journal.

A line is parsed alone, so that no more than one series is in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbtrack.bundles.archive.checked_json import parse_json
from nbtrack.bundles.archive.fields import Fields, as_fields, is_whole
from nbtrack.bundles.archive.limits import MIB
from nbtrack.bundles.archive.reading import Bundle
from nbtrack.bundles.archive.trouble import refuse, shown
from nbtrack.records import Goal
from nbtrack.store import Journal
from nbtrack.text import clean_name

METRICS = "results/metrics.jsonl"
LINE_BYTES = 48 * MIB  # a million points, with their steps and times
LINE_VALUES = 4_000_000
_FLUSH_POINTS = 200_000
_FLUSH_S = 120.0
_YEAR_3000 = 32_503_680_000.0
_ODD = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_GOALS: dict[object, Goal | None] = {None: None, "min": "min", "max": "max"}


@dataclass(frozen=True, slots=True)
class Series:
    """One metric, checked."""

    name: str
    goal: Goal | None
    thinned: int
    steps: list[int]
    values: list[float]
    at: list[float]
    axes: dict[str, list[float | None]]


def read_series(bundle: Bundle) -> Iterator[Series]:
    """The series of a bundle, one after the other.

    Raises
    ------
    BundleError
        For a line that is none, columns of two lengths, or a name that comes twice.
    """
    if METRICS not in bundle.names:
        return
    seen = set()
    for n, line in enumerate(_lines(bundle), 1):
        name = f"{METRICS}:{n}"
        told = parse_json(line, name=name, limit_bytes=LINE_BYTES, n_values=LINE_VALUES)
        series = _series(as_fields(told, name))
        if series.name in seen:
            refuse(f"{METRICS} has two series of {shown(series.name)}")
        seen.add(series.name)
        yield series


def log_series(journal: Journal, run_id: str, series: Series) -> None:
    """Keep the points of a series, and those of its axes where they change."""
    point, steps, at = journal.point, series.steps, series.at
    number = journal.series(run_id, series.name, goal=series.goal)
    axes = [
        (journal.series(run_id, name, axis_of=series.name), values)
        for name, values in series.axes.items()
    ]
    before: list[float | None] = [None] * len(axes)
    for n, value in enumerate(series.values):
        point(number, steps[n], value, at[n])
        for k, (axis, values) in enumerate(axes):
            told = values[n]
            if told is not None and told != before[k]:
                before[k] = told
                point(axis, steps[n], told, at[n])
        if n % _FLUSH_POINTS == _FLUSH_POINTS - 1:
            journal.flush(_FLUSH_S)


def _lines(bundle: Bundle) -> Iterator[bytes]:
    rest = b""
    for piece in bundle.pieces(METRICS):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > LINE_BYTES:
            refuse(f"{METRICS} has a line of more than {LINE_BYTES:,} bytes")
    if rest:
        yield rest


def _series(told: Fields) -> Series:
    goal = told.value.get("goal")
    if not isinstance(goal, str | None) or goal not in _GOALS:
        told.wrong("goal", "min, max or null")
    thinned = told.whole("thinned") if "thinned" in told.value else 1
    if thinned < 1:
        told.wrong("thinned", "a number from 1")
    steps = told.items("steps")
    n = len(steps)
    if not all(map(is_whole, steps)):
        refuse(f"{told.file}: a step is no whole number")
    axes = told.fields("axes")
    return Series(
        name=clean_name(told.text("metric", limit=1_000)),
        goal=_GOALS[goal],
        thinned=thinned,
        steps=steps,
        values=[_number(told, "values", v) for v in _column(told, "values", n)],
        at=[_moment(told, v) for v in _column(told, "at", n)],
        axes={
            clean_name(name): [_place(axes, name, v) for v in _column(axes, name, n)]
            for name in axes.value
        },
    )


def _column(told: Fields, key: str, n: int) -> list[Any]:
    column = told.items(key)
    if len(column) != n:
        refuse(f"{told.file}: {shown(key)} has {len(column)} values for {n} steps")
    return column


def _number(told: Fields, key: str, value: Any) -> float:
    if isinstance(value, str) and value in _ODD:
        return _ODD[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(f"{told.file}: {shown(key)} holds {shown(value)}, which is no number")
    return float(value)


def _place(told: Fields, key: str, value: Any) -> float | None:
    found = None if value is None else _number(told, key, value)
    return None if found is None or math.isnan(found) else found


def _moment(told: Fields, value: Any) -> float:
    found = _number(told, "at", value)
    if not abs(found) < _YEAR_3000:
        refuse(f"{told.file}: 'at' holds {shown(value)}, which is no time")
    return found
