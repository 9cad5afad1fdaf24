"""What TensorBoard drops when a run is started again: steps that were done anew.

A start at step S drops all that was logged before it at step S and beyond. Told in one
pass at the end: many starts cost no more than one.
"""

from __future__ import annotations

from itertools import accumulate, pairwise

from nbtrack.interop.series import Columns

_NEVER = 2**63


class Restarts:
    """The starts of a run, and how many there were when a point was logged."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._eras: dict[str, list[tuple[int, int]]] = {}  # starts so far, first point

    @property
    def n(self) -> int:
        """How many starts there were so far."""
        return len(self._steps)

    @property
    def names(self) -> list[str]:
        """The metrics that had points."""
        return list(self._eras)

    def start(self, step: int) -> None:
        """It is started, or started again, at this step."""
        self._steps.append(step)

    def logged(self, name: str, place: int) -> None:
        """A point of a metric comes at this place of its column."""
        eras = self._eras.setdefault(name, [])
        if not eras or eras[-1][0] != self.n:
            eras.append((self.n, place))

    def limits(self) -> list[int]:
        """By the starts before a point: the step from which on it was done anew."""
        later = accumulate(reversed([*self._steps, _NEVER]), min)
        return list(later)[::-1]

    def kept(self, name: str, columns: Columns) -> Columns:
        """The points that were not done anew."""
        limits, kept = self.limits(), Columns()
        eras = [*self._eras[name], (self.n, len(columns.steps))]
        for (n_starts, first), (_, end) in pairwise(eras):
            limit = limits[n_starts]
            for n in range(first, end):
                if columns.steps[n] < limit:
                    kept.add(columns.steps[n], columns.values[n], columns.at[n])
        return kept
