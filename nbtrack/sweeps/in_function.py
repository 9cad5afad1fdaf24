"""Runs one trial as a call of a function; what it returns is a metric of the run.

A number is the sweep's metric, a mapping holds several; `nbtrack.log` within it goes to
the run of the trial. Generators are put back before each call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.capture.randomness import restore_states
from nbtrack.capture.values import unflatten
from nbtrack.guard import tolerated
from nbtrack.sweeps.boundary import Boundary
from nbtrack.sweeps.judge import Judge
from nbtrack.sweeps.results import outcome_of
from nbtrack.sweeps.studies import SWEEP, TRIAL
from nbtrack.sweeps.trial import Outcome, Reports, Task

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

_NAME = "_swept"  # stands for the function where its reads are looked for


class FunctionTrial:
    """One call; `stop` may come from another thread."""

    def __init__(
        self,
        function: Callable[..., Any],
        values: Mapping[str, Any],
        task: Task,
        about: Mapping[str, Any],
    ) -> None:
        self._function = function
        self._values = values
        self._task = task
        self._about = about  # of the run, as `nbtrack.start` takes it
        self._run: Run | None = None
        self._stop_by = ""

    def run(self, report: Reports, began: Callable[[str], None]) -> Outcome:
        """Call it to its end; never raises for what the function does."""
        started = time.monotonic()
        restore_states(self._task.states)
        boundary = boundary_of(self._function)
        run = self._run = self._begin()
        if self._task.prunes:
            Judge(run, self._task, report).sit()
        began(run.id)
        if self._stop_by:
            run.request_stop(self._stop_by)
        errors: list[BaseException] = []
        try:
            with tolerated(errors.append), run:
                self._call(run)
        except KeyboardInterrupt as exc:  # Ctrl-C, or the stop of this trial
            errors.append(exc)
        leaks = boundary.changed(_seen_by(self._function))
        if _NAME in leaks:
            called = getattr(self._function, "__name__", "the function")
            leaks[f"what {called}() holds"] = leaks.pop(_NAME)
        return outcome_of(
            self._task,
            run,
            errors[0] if errors else None,
            leaks=leaks,
            duration_s=time.monotonic() - started,
        )

    def stop(self, by: str) -> None:
        """Ask it to stop, as the Stop button does."""
        self._stop_by = by
        if self._run is not None:
            self._run.request_stop(by)

    def _begin(self) -> Run:
        from nbtrack.tracking.session import process_session

        task = self._task
        run = process_session().start(
            task.run_name,
            tags={SWEEP: task.sweep, TRIAL: str(task.number)},
            params=unflatten(task.labels),  # a dotted name is a place in the params
            **self._about,
        )
        run.set_goal(task.aim.metric, task.aim.goal)
        return run

    def _call(self, run: Run) -> None:
        returned = self._function(**self._values)
        if isinstance(returned, Mapping):
            run.log(returned)
        elif returned is not None and self._task.aim.metric not in run.logged_names:
            run.log({self._task.aim.metric: returned})


def boundary_of(function: Callable[..., Any]) -> Boundary:
    """What a function reads and could change: globals, defaults, what it closes over.

    >>> def remember(x, seen=[]):
    ...     seen.append(x)
    >>> boundary = boundary_of(remember)
    >>> remember(1)
    >>> boundary.changed(_seen_by(remember))
    {'_swept': 'the cell changes it'}
    """
    return Boundary.of(f"{_NAME}()", _seen_by(function))


def _seen_by(function: Callable[..., Any]) -> dict[str, Any]:
    return {**getattr(function, "__globals__", {}), _NAME: function}
