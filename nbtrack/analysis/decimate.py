"""Curves made small for drawing: the least and the greatest of each bucket stay.

A spike of one point in a million survives; the first and the last point are kept, and
so is the first NaN of a bucket, since a broken curve must look broken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nbtrack.analysis.wire import SeriesDelta

POINTS_MAX = 10_000  # of one series in the page; beyond that it is halved


def keep(values: Sequence[float], bucket: int) -> list[int]:
    """The positions that stay when each `bucket` of values keeps its extremes.

    >>> keep([0.0, 1.0, 9.0, 2.0, 3.0, 4.0, 1.0, 5.0], 4)
    [0, 2, 6, 7]
    """
    if bucket <= 2 or len(values) <= 2:
        return list(range(len(values)))
    kept = {0, len(values) - 1}
    for begin in range(0, len(values), bucket):
        kept.update(_extremes(values, begin, min(begin + bucket, len(values))))
    return sorted(kept)


def thin(values: Sequence[float], most: int) -> list[int]:
    """At most about `most` positions, evenly laid buckets with their extremes."""
    if len(values) <= most:
        return list(range(len(values)))
    return keep(values, math.ceil(2 * len(values) / max(most, 2)))


def pick(delta: SeriesDelta, positions: Sequence[int]) -> SeriesDelta:
    """The points at `positions`, as a delta of the same series from its start."""

    def chosen(column: Sequence[float]) -> list[float]:
        return [column[i] for i in positions]

    return SeriesDelta(
        delta.metric,
        0,
        chosen(delta.steps),
        chosen(delta.values),
        chosen(delta.at),
        {name: chosen(column) for name, column in delta.axes.items()},
        delta.ghost,
    )


def _extremes(values: Sequence[float], begin: int, end: int) -> set[int]:
    # Slices run at C speed: min/max over them, then one index() each.
    part = list(values[begin:end])
    if (total := sum(part)) != total:  # NaN, or infinities of both signs
        return _extremes_with_nan(part, begin)
    return {begin + part.index(min(part)), begin + part.index(max(part))}


def _extremes_with_nan(part: list[float], begin: int) -> set[int]:
    nans = [i for i, value in enumerate(part) if math.isnan(value)]
    kept = {begin + nans[0]} if nans else set()
    finite = [i for i, value in enumerate(part) if not math.isnan(value)]
    if finite:
        kept.add(begin + min(finite, key=part.__getitem__))
        kept.add(begin + max(finite, key=part.__getitem__))
    return kept
