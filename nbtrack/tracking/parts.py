"""What is looked at during every run, in notebooks and in scripts alike.

Each part begins with the run and ends with it, under a guard of its own: a part that
fails is said once and left out, the others and the training go on. Parts hand what
takes time to the background: `begin` returns at once. In the first run of a process
even their import is left to the background: it takes as long as all until the first
metric.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from nbtrack.guard import guard
from nbtrack.interrupts import Signal
from nbtrack.tracking.background import background

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

_FIRST_IMPORTED = "nbtrack.tracking.system_part"


class RunPart(Protocol):
    """One thing that is seen of a run; `feature` is what switches it off."""

    feature: str

    def begin(self, run: Run) -> None:
        """The run has begun; to return in under a millisecond."""

    def end(self, run: Run) -> None:
        """The run is about to end and still takes values."""


def parts_at_once() -> list[RunPart]:
    """The parts that would miss something: prints, a script's name, random states."""
    from nbtrack.tracking.code_part import CodePart
    from nbtrack.tracking.environment_part import EnvironmentPart
    from nbtrack.tracking.output_part import OutputPart
    from nbtrack.tracking.randomness_part import RandomnessPart

    return [OutputPart(), CodePart(), RandomnessPart(), EnvironmentPart()]


def parts_that_can_wait() -> list[RunPart]:
    """The others, in the order in which they begin."""
    from nbtrack.tracking.callbacks.fits import FitsPart
    from nbtrack.tracking.system_part import SystemPart

    return [FitsPart(), SystemPart()]


class RunParts:
    """The parts of one run, from its start to its end."""

    def __init__(self) -> None:
        self._at_once: list[RunPart] = []
        self._others: list[RunPart] = []
        self._is_begun = Signal()

    def begin(self, run: Run) -> None:
        """Begin every part that the run's settings leave on."""
        _begin(run, parts_at_once(), self._at_once)
        if _FIRST_IMPORTED in sys.modules:
            self._begin_others(run)
        else:
            begin = partial(self._begin_others, run)
            background.submit(begin, feature="captures")

    def end(self, run: Run) -> None:
        """End what was begun; behind its beginning, where that is still to come."""
        if self._is_begun.is_set():
            _end(run, self._others)
        else:
            end = partial(_end, run, self._others)
            background.submit(end, feature="captures")
        _end(run, self._at_once)

    def _begin_others(self, run: Run) -> None:
        _begin(run, parts_that_can_wait(), self._others)
        self._is_begun.set()


def _begin(run: Run, parts: Iterable[RunPart], begun: list[RunPart]) -> None:
    for part in parts:
        if run.captures(part.feature) and not guard.is_off(part.feature):
            begun.append(part)
            with guard(part.feature):
                part.begin(run)


def _end(run: Run, begun: list[RunPart]) -> None:
    while begun:
        part = begun.pop()
        with guard(part.feature):
            part.end(run)
