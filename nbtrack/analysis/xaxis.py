"""What curves are drawn over in a still picture; the rules of `shared/xaxis.ts`.

The step, unless one chart holds curves of different cadence that share an axis: then
that axis, each of its values spread over the steps that fall into it, so that the last
batch of an epoch stands beside the validation value of that epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from nbtrack.analysis.wire import SeriesDelta


def shared_axis(families: Sequence[Sequence[SeriesDelta]]) -> str | None:
    """The axis that puts the curves of a chart beside each other, if one is needed."""
    all_series = [series for family in families for series in family]
    for axis in _rising_axes(all_series):
        if any(_differ(family, axis) for family in families):
            return axis
    return None


def positions(
    series: SeriesDelta, axis: str | None, *, spread: bool
) -> Sequence[float]:
    """The x of each point; empty where the series does not have that axis."""
    if axis is None:
        return series.steps
    values = series.axes.get(axis)
    if values is None:
        return []
    return _spread(values, series.steps) if spread else values


def has_repeats(series: SeriesDelta, axis: str) -> bool:
    """Whether several points of the series stand on one value of the axis."""
    return any(a == b for a, b in pairwise(series.axes.get(axis, ())))


def _rising_axes(all_series: Sequence[SeriesDelta]) -> list[str]:
    rising: dict[str, bool] = {}
    for series in all_series:
        for axis, values in series.axes.items():
            is_rising = all(a <= b for a, b in pairwise(values))
            rising[axis] = rising.get(axis, True) and is_rising
    return [axis for axis, is_rising in rising.items() if is_rising]


def _differ(family: Sequence[SeriesDelta], axis: str) -> bool:
    lasts = [s.steps[-1] for s in family if axis in s.axes and len(s.steps)]
    return len(lasts) > 1 and max(lasts) > 2 * min(lasts) + 2


def _spread(axis: Sequence[float], steps: Sequence[float]) -> list[float]:
    x: list[float] = []
    begin, widest, most = 0, 1.0, 1
    while begin < len(axis):
        end = begin + 1
        while end < len(axis) and axis[end] == axis[begin]:
            end += 1
        # The value that is still growing is as wide as the widest one before it.
        width = steps[end] - steps[begin] if end < len(axis) else widest
        width = max(width, steps[end - 1] - steps[begin] + 1)
        base, first = axis[begin] - axis[0], steps[begin]
        # One point alone sums its value up, unless it is the first of many to come.
        if end - begin == 1 and (end < len(axis) or most == 1):
            x.append(base + 1)
        else:
            x.extend(base + (step - first + 1) / width for step in steps[begin:end])
        most = max(most, end - begin)
        begin, widest = end, max(widest, width)
    return x
