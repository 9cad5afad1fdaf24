"""Looks at each point of a trial's metric, and stops it where the pruner says so.

It sits between the run and its journal, for as long as the run lives, and sees logged
and watched points alike. A metric of a batch has more points than a pruner needs: from
the 50th on they are asked about more and more seldom, by their number and not by a
clock, so that equal trials are judged at equal points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.guard import guard
from nbtrack.sweeps.trial import Reports, Task

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

DENSE = 50  # points that are all asked about
FEATURE = "pruning"


class Judge:
    """Of one run; `sit` begins."""

    def __init__(self, run: Run, task: Task, report: Reports) -> None:
        self._run = run
        self._task = task
        self._report = report
        self._n = 0
        self._is_over = False

    def sit(self) -> None:
        """From now on every point of the metric comes by here."""
        self._run.on_points_of(self._task.aim.metric, self._seen)

    def _seen(self, step: int, value: float) -> None:
        self._n += 1
        if is_asked(self._n) and not self._is_over and value == value:
            with guard(FEATURE):
                self._ask(step, value)

    def _ask(self, step: int, value: float) -> None:
        if self._report(self._task.number, step, value):
            self._is_over = True
            metric = self._task.aim.metric
            self._run.request_stop(
                f"{metric} {value:.4g} at step {step}", outcome="pruned"
            )


def is_asked(n: int) -> bool:
    """Whether the pruner is asked about the n-th point.

    >>> sum(is_asked(n) for n in range(1, 10_001)) < 600
    True
    """
    return n <= DENSE or n % (n // DENSE) == 0
