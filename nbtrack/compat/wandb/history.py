"""`run.log`: wandb's steps, and each value to what keeps it.

A step is open until it is committed; `log()` without a step commits, with a step or
`commit=False` it does not. Each value is kept at once, under the step that is open, so
that nothing waits in memory for a commit that a killed process never makes. A step
that lies behind is kept too, where wandb would drop it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.compat.wandb.saying import say_once
from nbtrack.compat.wandb.values import in_summary, is_number, keep_value
from nbtrack.tracking.numbers import as_number, flatten, whole_step

if TYPE_CHECKING:
    from nbtrack.compat.wandb.defined import Definitions, Metric
    from nbtrack.compat.wandb.summed import Summary
    from nbtrack.tracking.run import Run


class History:
    """The steps of one run."""

    def __init__(
        self, run: Run, summary: Summary, defined: Definitions, *, step: int = 0
    ) -> None:
        self.step = step
        self._run = run
        self._summary = summary
        self._defined = defined
        self._lock = threading.RLock()
        self._axes: dict[str, Any] = {}  # the last number of each name
        self._judged: set[str] = set()

    def log(
        self, data: Mapping[str, Any], step: int | None, commit: bool | None
    ) -> None:
        """Keep values at the step that is open, or at this one.

        Raises
        ------
        TypeError
            When `data` is no mapping with texts for names.
        RunStopped
            After Stop was pressed.
        """
        if not isinstance(data, Mapping):
            raise TypeError("wandb.log must be passed a dictionary")
        if any(not isinstance(key, str) for key in data):
            raise TypeError("Key values passed to `wandb.log` must be strings.")
        with self._lock:
            at = self.step if step is None else whole_step(step)
            if at < self.step:
                say_once(
                    f"earlier step {self._run.id}",
                    f"step {at} lies behind {self.step}: it is kept at {at}, where "
                    "wandb would drop it",
                )
            self.step = max(at, self.step)
            try:
                self._keep(data, at)
            finally:  # a stop must not leave the step open
                if commit or (commit is None and step is None):
                    self.step += 1

    def define(self, metric: Metric) -> None:
        """A metric was defined: its goal counts from now on."""
        self._judged.discard(metric.name)
        if metric.goal is not None and "*" not in metric.name:
            self._run.set_goal(metric.name, metric.goal)
            self._judged.add(metric.name)

    def _keep(self, data: Mapping[str, Any], at: int) -> None:
        flat = dict(flatten(data))
        numbers = {name: value for name, value in flat.items() if is_number(value)}
        rest = {name: value for name, value in flat.items() if name not in numbers}
        self._sum_up(data, at)
        self._axes.update(numbers)
        if self._defined.is_empty:  # most scripts define none
            self._run.log(numbers, step=at)
        else:
            self._log_defined(numbers, at)
        for name, value in rest.items():
            keep_value(self._run, name, value, at)

    def _log_defined(self, numbers: Mapping[str, Any], at: int) -> None:
        for name in numbers:
            self._judge(name)
        for axis, names in self._by_axis(numbers).items():
            self._log_over(axis, {name: numbers[name] for name in names}, at)

    def _by_axis(self, numbers: Mapping[str, Any]) -> dict[str | None, list[str]]:
        groups: dict[str | None, list[str]] = {}
        for name in numbers:
            axis = self._defined.axis_of(name)
            known = axis if axis in self._axes else None
            groups.setdefault(known, []).append(name)
        return groups

    def _log_over(self, axis: str | None, numbers: Mapping[str, Any], at: int) -> None:
        if axis is None:
            self._run.log(numbers, step=at)
            return
        before = self._run.axes_now.get(axis)  # a loop of nbtrack.epochs may count it
        self._run.set_axis(axis, as_number(axis, self._axes[axis]))
        try:
            self._run.log(numbers, step=at)
        finally:
            self._run.drop_axis(axis)
            if before is not None:
                self._run.set_axis(axis, before)

    def _judge(self, name: str) -> None:
        """The goal that was defined for a pattern, at the first use of a name."""
        if name in self._judged:
            return
        self._judged.add(name)
        metric = self._defined.of(name)
        if metric is not None and metric.goal is not None:
            self._run.set_goal(name, metric.goal)

    def _sum_up(self, data: Mapping[str, Any], at: int) -> None:
        values = {
            name: told
            for name, value in data.items()
            if (told := self._defined.summed_up(name, in_summary(value))) is not None
        }
        self._summary.was_logged(values, step=at)
