"""What differs between the metrics of two runs: best by goal, its step, last, delta.

From the summaries alone: two curves of as many points with the same last, least and
greatest values at the same steps count as the same.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from nbtrack.analysis.diff.side import Side
from nbtrack.records import Goal, MetricSummary, is_better

_LIKE = ("n", "last", "last_step", "min", "min_step", "max", "max_step", "n_nan")


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric beside the two runs; None: the run has no such metric.

    Both are judged by one goal, so that `best` means the same on both sides.
    """

    name: str
    goal: Goal | None
    a: MetricSummary | None
    b: MetricSummary | None

    @property
    def change(self) -> str:
        """One of "same", "changed", "only in a", "only in b".

        Same: n, last, min, max and their steps are.
        """
        if self.a is None or self.b is None:
            return "only in b" if self.a is None else "only in a"
        same = (_equal(getattr(self.a, n), getattr(self.b, n)) for n in _LIKE)
        return "same" if all(same) else "changed"

    @property
    def delta(self) -> float | None:
        """Best of b less best of a (without a goal last values); None: not in both."""
        return self._delta("best")

    @property
    def delta_last(self) -> float | None:
        """Last value of b less last value of a."""
        return self._delta("last")

    @property
    def better(self) -> str | None:
        """Which run has the better best value: "a", "b", or None."""
        if self.a is None or self.b is None or self.goal is None:
            return None
        if is_better(self.a.best, self.b.best, self.goal):
            return "a"
        return "b" if is_better(self.b.best, self.a.best, self.goal) else None

    def _delta(self, name: str) -> float | None:
        if self.a is None or self.b is None:
            return None
        one, other = getattr(self.a, name), getattr(self.b, name)
        return 0.0 if one == other else float(other - one)  # of two infinities too


def diff_metrics(a: Side, b: Side) -> tuple[MetricChange, ...]:
    """All metrics of the two runs, in the order of the second, then of the first.

    >>> from nbtrack.records import RunRecord
    >>> def side(value):
    ...     loss = MetricSummary("loss", "min", 1, value, 0, value, 0, value, 0)
    ...     told = {"loss": loss}
    ...     run = RunRecord("1", "x", "e", "finished", "", None, 1, metrics=told)
    ...     return Side(run)
    >>> [(m.delta, m.better) for m in diff_metrics(side(0.5), side(0.25))]
    [(-0.25, 'b')]
    """
    old, new = a.record.metrics, b.record.metrics
    found = []
    for name in dict.fromkeys([*new, *old]):
        one, other = old.get(name), new.get(name)
        goal = _one_goal(one, other)
        found.append(MetricChange(name, goal, _judged(one, goal), _judged(other, goal)))
    return tuple(found)


def _one_goal(a: MetricSummary | None, b: MetricSummary | None) -> Goal | None:
    """The goal of both; none where each was given another one."""
    goals = {metric.goal for metric in (a, b) if metric is not None} - {None}
    return goals.pop() if len(goals) == 1 else None


def _judged(metric: MetricSummary | None, goal: Goal | None) -> MetricSummary | None:
    return None if metric is None else dataclasses.replace(metric, goal=goal)


def _equal(a: Any, b: Any) -> bool:
    """Any: a number or None; NaN equals NaN."""
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return bool(a == b)
