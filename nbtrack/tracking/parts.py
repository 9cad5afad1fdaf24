"""What is looked at during every run, in notebooks and in scripts alike.

Each part begins with the run and ends with it, under a guard of its own: a part that
fails is said once and left out, the others and the training go on. Parts hand what
takes time to the background: `begin` returns at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nbtrack.guard import guard

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run


class RunPart(Protocol):
    """One thing that is seen of a run; `feature` is what switches it off."""

    feature: str

    def begin(self, run: Run) -> None:
        """The run has begun; to return in under a millisecond."""

    def end(self, run: Run) -> None:
        """The run is about to end and still takes values."""


def parts_of_every_run() -> list[RunPart]:
    """The parts, in the order in which they begin."""
    from nbtrack.tracking.code_part import CodePart
    from nbtrack.tracking.system_part import SystemPart

    return [SystemPart(), CodePart()]


class RunParts:
    """The parts of one run, from its start to its end."""

    def __init__(self) -> None:
        self._begun: list[RunPart] = []

    def begin(self, run: Run) -> None:
        """Begin every part that the run's settings leave on."""
        for part in parts_of_every_run():
            if run.captures(part.feature) and not guard.is_off(part.feature):
                self._begun.append(part)
                with guard(part.feature):
                    part.begin(run)

    def end(self, run: Run) -> None:
        """End what was begun, the last first."""
        while self._begun:
            part = self._begun.pop()
            with guard(part.feature):
                part.end(run)
