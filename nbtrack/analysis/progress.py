"""How far a run is and when it will be done, by its outermost loop.

The pace is measured from one value of the loop's counter to the next, so the first
one gives no estimate: an honest blank is better than a wrong number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbtrack.analysis.wire import Progress


@dataclass(slots=True)
class _Seen:
    """One axis as it went: its first value, and when it last moved on."""

    first: float
    first_at: float
    last: float
    last_at: float
    n_changes: int = 0
    latest_at: float = 0.0


class ProgressMeter:
    """Watches the axes of incoming points; `totals` are the declared loop bounds."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._axes: dict[str, _Seen] = {}

    def see(self, axis: str, values: Sequence[float], at: Sequence[float]) -> None:
        """Take in points in the order of time."""
        if not values:
            return
        if axis not in self._axes:
            self._axes[axis] = _Seen(values[0], at[0], values[0], at[0])
        seen = self._axes[axis]
        for value, moment in zip(values, at, strict=True):
            if value > seen.last:
                seen.last, seen.last_at = value, moment
                seen.n_changes += 1
            seen.latest_at = max(seen.latest_at, moment)

    def progress(self, totals: Mapping[str, int]) -> Progress | None:
        """The outermost loop with a bound; None when there is none."""
        axis = self._outermost(totals)
        if axis is None:
            return None
        seen, total = self._axes[axis], totals[axis]
        begun = seen.last - seen.first + 1
        return {"axis": axis, "done": min(begun, total), "total": total}

    def eta_s(self, totals: Mapping[str, int], now: float) -> float | None:
        """Seconds that remain at the pace so far; None while that is unknown."""
        axis = self._outermost(totals)
        if axis is None or self._axes[axis].n_changes == 0:
            return None
        seen = self._axes[axis]
        done = seen.last - seen.first
        pace = (seen.last_at - seen.first_at) / done
        # Metrics of an epoch often come at its end: then one more is done already.
        at_end = seen.first_at - self._started_at > 0.5 * pace
        remaining = max(0.0, totals[axis] - done - at_end)
        return max(0.0, seen.last_at + pace * remaining - now)

    def _outermost(self, totals: Mapping[str, int]) -> str | None:
        known = [axis for axis in self._axes if totals.get(axis, 0) > 0]
        return min(known, key=lambda axis: self._axes[axis].n_changes, default=None)
