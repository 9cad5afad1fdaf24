"""How far a run is and when it will be done, by its outermost loop.

The pace is measured from one value of the loop's counter to the next, so the first
one gives no estimate: an honest blank is better than a wrong number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbtrack.analysis.wire import Progress
from nbtrack.records import Param

_COUNT_WORDS = ("n_", "num_", "max_", "total_", "n", "num", "max")


@dataclass(slots=True)
class _Seen:
    """One axis as it went: its first value, and when it last moved on."""

    first: float
    first_at: float
    last: float
    last_at: float
    n_changes: int = 0
    goes_back: bool = False  # an inner loop, which starts anew in each round


class ProgressMeter:
    """Watches the axes of incoming points; `totals` are the declared loop bounds."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._axes: dict[str, _Seen] = {}
        self._before: dict[tuple[str, str], float] = {}

    def see(
        self, metric: str, axis: str, values: Sequence[float], at: Sequence[float]
    ) -> None:
        """Take in the points of one metric in the order of time.

        Metrics come one after the other, so one of them may tell of an earlier epoch
        than another did before: a loop goes back only by the same metric.
        """
        if not len(values):
            return
        if axis not in self._axes:
            self._axes[axis] = _Seen(values[0], at[0], values[0], at[0])
        seen = self._axes[axis]
        before = self._before.get((metric, axis), values[0])
        for value, moment in zip(values, at, strict=True):
            if value > seen.last:
                seen.last, seen.last_at = value, moment
                seen.n_changes += 1
            seen.goes_back = seen.goes_back or value < before
            before = value
        self._before[metric, axis] = before

    def progress(self, totals: Mapping[str, int]) -> Progress | None:
        """The outermost loop; None when it has no declared bound."""
        axis = self._outermost()
        if axis is None or totals.get(axis, 0) <= 0:
            return None
        seen, total = self._axes[axis], totals[axis]
        begun = seen.last - seen.first + 1
        # More rounds than the bound allows: that was not its bound.
        return {"axis": axis, "done": begun, "total": total} if begun <= total else None

    def eta_s(self, totals: Mapping[str, int], now: float) -> float | None:
        """Seconds that remain at the pace so far; None while that is unknown."""
        progress = self.progress(totals)
        if progress is None or self._axes[progress["axis"]].n_changes == 0:
            return None
        seen = self._axes[progress["axis"]]
        done = seen.last - seen.first
        pace = (seen.last_at - seen.first_at) / done
        # Metrics of an epoch often come at its end: then one more is done already.
        at_end = seen.first_at - self._started_at > 0.5 * pace
        remaining = max(0.0, progress["total"] - done - at_end)
        return max(0.0, seen.last_at + pace * remaining - now)

    def axes(self) -> list[str]:
        """The loop counters that were seen."""
        return list(self._axes)

    def _outermost(self) -> str | None:
        """An inner loop turns more often than the one around it."""
        rising = [axis for axis, seen in self._axes.items() if not seen.goes_back]
        return min(rising, key=lambda axis: self._axes[axis].n_changes, default=None)


def bound_by_param(axis: str, params: Mapping[str, Param]) -> int | None:
    """A whole param that is called like the number of rounds of this loop.

    >>> bound_by_param("epoch", {"n_epochs": Param("n_epochs", 10, "literal")})
    10
    """
    names = {axis, f"{axis}s"} | {f"{word}{axis}s" for word in _COUNT_WORDS}
    for name, param in params.items():
        value = param.value
        if (
            name.rpartition(".")[2].lower() in names
            and type(value) is int
            and value > 0
        ):
            return value
    return None
