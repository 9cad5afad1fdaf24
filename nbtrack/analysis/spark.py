"""A curve as a few numbers, for a line the height of a letter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

POINTS_MAX = 48


def spark(values: Sequence[float], most: int = POINTS_MAX) -> list[float | None]:
    """At most so many of the values, in order: the extremes of each stretch stay.

    What is not finite is a gap, None, where a stretch has nothing else.

    >>> spark([1.0, float("nan"), 3.0])
    [1.0, None, 3.0]
    >>> len(spark([float(n % 7) for n in range(100_000)]))
    48
    """
    import numpy as np

    column = np.asarray(values, dtype=np.float64)
    if len(column) <= most:
        return [_shown(value) for value in column.tolist()]
    ends = np.linspace(0, len(column), most // 2 + 1).astype(int).tolist()
    shown: list[float | None] = []
    for begin, end in pairwise(ends):
        part = column[begin:end]
        places = np.flatnonzero(np.isfinite(part))
        if not len(places):
            shown.append(None)
            continue
        finite = part[places]
        low, high = finite.argmin(), finite.argmax()
        shown += finite[[min(low, high), max(low, high)]].tolist()
    return shown


def _shown(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
