"""Where the values of a column stand on an axis, and what is written there.

Numbers over more than two decades go on a log axis; what is no number has a labelled
place of its own, and so have a missing value, NaN and infinities beside numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from nbtrack.analysis.comparing.columns import Column
from nbtrack.text import shorten, visible

LOG_FROM = 100.0  # largest over smallest: two decades
LABELS_MAX = 30  # texts that fit along an axis; others keep their place without one
PLACES_MAX = 100  # ticks for single values
LABEL_MAX = 40  # characters
MISSING = "missing"
NAMED_MAX = 10  # numbers that are written out, each at its place
_APART = 0.05  # of an axis, between two texts
_GAP = 0.12  # of an axis, between numbers and what is none
_MAJORS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """Places of the values, in the order of the runs, and ticks; no ticks: a plain one.

    On a log axis places are powers of ten.
    """

    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...] = ()  # sorted; an empty text has no label
    is_log: bool = False
    is_number: bool = True


def axis_of(column: Column) -> Axis:
    """The axis that fits a column.

    Examples
    --------
    >>> axis_of(Column("params.opt", "param", ["sgd", None, "adam"])).ticks
    ((0.0, 'missing'), (1.0, 'adam'), (2.0, 'sgd'))
    >>> axis_of(Column("params.lr", "param", [0.001, 0.1, 1.0])).is_log
    True
    """
    if column.is_number and any(map(is_finite, column.values)):
        return _numbers(column.values, named=column.kind != "metric")
    labels = labels_of(column.values)
    order = {label: float(at) for at, label in enumerate(ordered(column.values))}
    every = -(-len(order) // LABELS_MAX)
    ticks = [(at, "" if at % every else label) for label, at in order.items()]
    return Axis(tuple(order[label] for label in labels), tuple(ticks), is_number=False)


def fits_log(values: Iterable[Any]) -> bool:
    """Whether numbers are positive and span more than two decades.

    >>> fits_log([0.001, 1.0]), fits_log([0.0, 1000.0]), fits_log([1.0, 100.0])
    (True, False, False)
    """
    finite = [float(value) for value in values if is_finite(value)]
    if not finite or min(finite) <= 0:
        return False
    # Logarithms, since the ratio of two doubles may overflow.
    return math.log10(max(finite)) - math.log10(min(finite)) > math.log10(LOG_FROM)


def scale_of(values: Iterable[Any]) -> str:
    """What plotly calls the axis that fits numbers.

    >>> scale_of([0.001, 1.0]), scale_of([1.0, 2.0])
    ('log', 'linear')
    """
    return "log" if fits_log(values) else "linear"


def is_finite(value: Any) -> bool:
    """Whether it is a number that a double holds.

    >>> is_finite(1), is_finite(True), is_finite(10**400), is_finite(None)
    (True, False, False, False)
    """
    if type(value) is not int and type(value) is not float:
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def labels_of(values: Sequence[Any]) -> list[str]:
    """A text for each value; values that differ in type or content differ in it.

    >>> labels_of([1, "1", True, None, float("nan"), [2]])
    ['1', "'1'", 'True', 'missing', 'NaN', '[2]']
    """
    given: dict[tuple[type, str], str] = {}
    taken: set[str] = set()
    # Texts last: it is they that get quotes where a number looks the same.
    for value in sorted(values, key=lambda value: isinstance(value, str)):
        key = type(value), repr(value)
        if key not in given:
            given[key] = _untaken(value, taken)
            taken.add(given[key])
    return [given[type(value), repr(value)] for value in values]


def ordered(values: Sequence[Any]) -> list[str]:
    """The labels once each: what is missing, numbers by size, then texts.

    >>> ordered(["b", 10, 9, "a", None])
    ['missing', '9', '10', 'a', 'b']
    """
    pairs = zip(labels_of(values), values, strict=True)
    return list(dict.fromkeys(label for label, _ in sorted(pairs, key=_order)))


def _numbers(values: Sequence[Any], *, named: bool) -> Axis:
    is_log = fits_log(values)
    own = [_place(value, is_log) if is_finite(value) else None for value in values]
    there = sorted({place for place in own if place is not None})
    below = _places_below(there[0], there[-1], values)
    texts = labels_of([None if is_finite(value) else value for value in values])
    places = [
        below[text] if place is None else place
        for place, text in zip(own, texts, strict=True)
    ]
    is_named = named and len(there) <= NAMED_MAX
    if not is_log and not below and not is_named:
        return Axis(tuple(places))
    # A brush snaps to ticks where there are some, so that each value needs one.
    ticks = dict.fromkeys(there[:: -(-len(there) // PLACES_MAX)], "")
    if is_named:
        ticks |= _each(own, values)
    else:
        ticks |= _log_majors(there) if is_log else _majors(there[0], there[-1])
    ticks |= {place: label for label, place in below.items()}
    return Axis(tuple(places), tuple(sorted(ticks.items())), is_log)


def _place(value: float, is_log: bool) -> float:
    return math.log10(value) if is_log else float(value)


def _places_below(low: float, high: float, values: Sequence[Any]) -> dict[str, float]:
    """Below the numbers, one for each kind of value that is none."""
    labels = ordered([value for value in values if not is_finite(value)])
    gap = (high - low) * _GAP or abs(low) * _GAP or 1.0
    return {label: low - gap * (len(labels) - at) for at, label in enumerate(labels)}


def _each(places: Sequence[float | None], values: Sequence[Any]) -> dict[float, str]:
    """The values themselves, without those whose texts would run into one another."""
    texts = dict(zip(places, labels_of(values), strict=True))
    there = sorted(place for place in texts if place is not None)
    gap, found = (there[-1] - there[0]) * _APART, {there[0]: texts[there[0]]}
    for place in there[1:]:
        found[place] = texts[place] if place - max(_told(found)) >= gap else ""
    return found


def _told(ticks: dict[float, str]) -> list[float]:
    return [place for place, text in ticks.items() if text]


def _log_majors(there: Sequence[float]) -> dict[float, str]:
    """Powers of ten, and the ends where none is near."""
    low, high = there[0], there[-1]
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    every = max(1, -(-(last - first) // 8))
    # A power that is itself a value may be off by a rounding of its logarithm.
    powers = {min(max(float(p), low), high): p for p in range(first, last + 1, every)}
    ticks = {place: f"{10.0**power:.4g}" for place, power in powers.items()}
    for end in (low, high):
        if min(abs(end - place) for place in ticks) > (high - low) * _APART:
            ticks[end] = f"{10.0**end:.2g}"
    return ticks


def _majors(low: float, high: float) -> dict[float, str]:
    """Round numbers within, about five."""
    rough = (high - low) / _MAJORS
    if not rough or not math.isfinite(rough):
        return {low: f"{low:.10g}", high: f"{high:.10g}"}
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(n * unit for n in (1, 2, 5, 10, 20) if n * unit >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return {n * step: f"{n * step:.10g}" for n in range(first, last + 1)}


def _text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else f"{value:.6g}"
    return value if isinstance(value, str) else repr(value)


def _untaken(value: Any, taken: set[str]) -> str:
    """As short as it can be told from the others."""
    texts = [shorten(visible(text), LABEL_MAX) for text in (_text(value), repr(value))]
    numbered = (f"{texts[0]} [{k}]" for k in count(2))
    return next(text for text in chain(texts, numbered) if text not in taken)


def _order(pair: tuple[str, Any]) -> tuple[int, float, str]:
    label, value = pair
    if is_finite(value):
        return 1, float(value), label
    if isinstance(value, str):
        return 2, 0.0, label
    return (3 if isinstance(value, bool | list | dict) else 0), 0.0, label
