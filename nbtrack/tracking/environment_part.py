"""In which environment a run takes place: packages, machine, numerics, variables.

The thread that starts the run only asks for the settings that are its own (threads,
precision, flags: some 0.1 ms, where PyTorch is imported). All else is read in the
background, the machine once in a process and the packages when some were installed;
at the end once more what the run itself has imported or changed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache, partial
from typing import TYPE_CHECKING

from nbtrack.capture import numerics
from nbtrack.records import Fact, TextRecord
from nbtrack.text import text_digest
from nbtrack.tracking.background import background

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

FEATURE = "environment"
ROLE = "packages"
FILE_NAME = "requirements.txt"


class EnvironmentPart:
    """What of the environment is seen of one run; see `nbtrack.tracking.parts`."""

    feature = FEATURE

    def __init__(self) -> None:
        self._told: dict[str, Fact] = {}
        self._packages: TextRecord | None = None

    def begin(self, run: Run) -> None:
        """Ask for this thread's settings; leave the rest to the background."""
        now = [*numerics.settings(), *numerics.variables()]
        background.submit(partial(self._look, run, now), feature=FEATURE)

    def end(self, run: Run) -> None:
        """See what the run has imported, installed or set itself."""
        now = [*numerics.settings(), *numerics.variables()]
        modules = frozenset(sys.modules)
        look = partial(self._look_again, run, now, modules)
        background.submit(look, feature=FEATURE)

    def _look(self, run: Run, now: Iterable[Fact]) -> None:
        from nbtrack.capture.interpreter import interpreter_facts

        self._tell(run, interpreter_facts())
        self._tell(run, _machine())
        self._tell(run, now)
        self._tell(run, numerics.constants())
        self._tell_packages(run)

    def _look_again(
        self, run: Run, now: Iterable[Fact], modules: frozenset[str]
    ) -> None:
        from nbtrack.capture.packages import packages

        self._tell(run, now, changing=True)
        self._tell(run, numerics.constants())
        self._tell_packages(run)
        loaded = [about.line for about in packages.loaded(modules)]
        self._tell(run, [Fact("python.loaded", loaded)])

    def _tell(self, run: Run, facts: Iterable[Fact], *, changing: bool = False) -> None:
        """Keep what is new; of a setting that the run changed, what it was before."""
        new = [fact for fact in facts if self._told.get(fact.name) != fact]
        if changing:
            was = {f.name: self._told[f.name] for f in new if f.name in self._told}
            new += [Fact(f"{n}.at_start", f.value, f.missing) for n, f in was.items()]
        self._told.update((fact.name, fact) for fact in new)
        run.log_facts(new)

    def _tell_packages(self, run: Run) -> None:
        text = packages_text()
        if text != self._packages:
            self._packages = text
            run.log_texts([text])


def packages_text() -> TextRecord:
    """The installed distributions as the text of a requirements file."""
    from nbtrack.capture.packages import packages

    body = "".join(f"{about.line}\n" for about in packages.installed())
    digest = text_digest(body)
    return TextRecord(ROLE, FILE_NAME, digest, body)


@cache
def _machine() -> tuple[Fact, ...]:
    """Read once: a process stays on its machine."""
    from nbtrack.capture.machine import machine_facts

    return tuple(machine_facts())
