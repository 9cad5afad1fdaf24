"""Takes a batch of slots apart into columns per series, with C-level operations only.

The drain runs beside the user's loop, so nothing here walks over points in Python:
strided views pick the columns, one comparison finds batches of one series or of
series that take turns, and only an irregular mix pays for a sort.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from nbtrack.store.chunks import Columns
from nbtrack.store.segments import POINT, SLOT_BYTES


def columns_by_series(raw: bytes) -> Iterator[tuple[int, Columns]]:
    """The points among these slots, one set of columns per series."""
    raw = points_only(raw)
    if not raw:
        return
    series = _column(raw, "I", 6)
    period = _period(series)
    if period:
        for place in range(period):
            yield series[place], _every(raw, place, period)
    else:
        yield from _sorted_apart(raw, series)


def slots_marked(raw: bytes, mark: int) -> list[bytes]:
    """The slots that carry this mark, in order."""
    marks, found, place = raw[SLOT_BYTES - 1 :: SLOT_BYTES], [], -1
    while (place := marks.find(mark, place + 1)) >= 0:
        found.append(raw[place * SLOT_BYTES : (place + 1) * SLOT_BYTES])
    return found


def points_only(raw: bytes) -> bytes:
    """These slots without those that are no points."""
    marks = raw[SLOT_BYTES - 1 :: SLOT_BYTES]
    if not marks.translate(None, bytes([POINT])):
        return raw
    kept, place = [], 0
    for mark, run in groupby(marks):
        length = sum(1 for _ in run)
        if mark == POINT:
            kept.append(raw[place * SLOT_BYTES : (place + length) * SLOT_BYTES])
        place += length
    return b"".join(kept)


def _period(series: array[int]) -> int:
    """After how many slots the series repeat exactly, each once; 0 if they do not."""
    try:
        period = series.index(series[0], 1)
    except ValueError:
        period = len(series)
    if len(set(series[:period])) < period:
        return 0
    return period if series[period:] == series[: len(series) - period] else 0


def _every(raw: bytes, place: int, period: int) -> Columns:
    return Columns(
        _column(raw, "q", 0, place, period),
        _column(raw, "d", 1, place, period),
        _column(raw, "d", 2, place, period),
    )


def _column(
    raw: bytes, code: str, field: int, place: int = 0, period: int = 1
) -> array[Any]:
    column: array[Any] = array(code)
    width = SLOT_BYTES // column.itemsize
    view = memoryview(raw).cast(code)  # type: ignore[call-overload]  # a format code
    column.frombytes(view[place * width + field :: period * width].tobytes())
    return column


def _sorted_apart(raw: bytes, series: array[int]) -> Iterator[tuple[int, Columns]]:
    # Sorting is stable: the order within a series stays the order of logging.
    order = sorted(range(len(series)), key=series.__getitem__)
    sorted_series = array("I", map(series.__getitem__, order))
    steps = array("q", map(_column(raw, "q", 0).__getitem__, order))
    values = array("d", map(_column(raw, "d", 1).__getitem__, order))
    at = array("d", map(_column(raw, "d", 2).__getitem__, order))
    start = 0
    while start < len(order):
        here = sorted_series[start]
        stop = start + sorted_series.count(here)
        yield here, Columns(steps[start:stop], values[start:stop], at[start:stop])
        start = stop
