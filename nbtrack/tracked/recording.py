"""The recording of tracked code: its parts are begun, ended, and the run is over.

Parts end in the opposite order, each under its guard; then the run gets the status that
the end of the code says. Nothing here raises into the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.guard import guard
from nbtrack.tracked.outcome import status_and_trace

if TYPE_CHECKING:
    from nbtrack.tracked.parts import Part, Tracking
    from nbtrack.tracking.run import Run


class Recording:
    """The parts of one run; `on` is what they share, from `begin` on."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.on: Tracking | None = None
        self._parts = parts
        self._begun: list[Part] = []

    def begin(self, on: Tracking) -> None:
        """Begin every part that the run's settings leave on."""
        self.on = on
        for metric, goal in on.prepared.options.goals.items():
            on.run.set_goal(metric, goal)
        for part in self._parts:
            self._begin_part(part, on)

    def _begin_part(self, part: Part, on: Tracking) -> None:
        if on.run.captures(part.setting) and not guard.is_off(part.feature):
            self._begun.append(part)
            with guard(part.feature):
                part.begin(on)

    def end(
        self, run: Run, error: BaseException | None, namespace: Mapping[str, Any]
    ) -> None:
        """End what was begun, and the run, as the code ended by `error`, if any."""
        while self.on and self._begun:
            part = self._begun.pop()
            with guard(part.feature):
                part.end(self.on)
        with guard("the end of runs"):
            status, trace = status_and_trace(error, namespace)
            if status == "finished" and run.stop.requested:
                status = "stopped"
            if self.on:
                run.notices(self.on.notices)
            if status == "failed" and error is not None:
                run.log_failure(error)
            run.finish(status, error=trace)
