"""The runs that scripts of this process hold, and how they end with it."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nbtrack.compat.wandb import saved
from nbtrack.compat.wandb.configured import in_notebook
from nbtrack.compat.wandb.errors import Error

if TYPE_CHECKING:
    from nbtrack.compat.wandb.live import Run
    from nbtrack.tracking.run import Run as Live


@dataclass(frozen=True, slots=True)
class Values:
    """What `init` finds within a trial."""

    live: Live
    values: Mapping[str, Any]
    sweep_id: str


class Desk:
    """The runs of this process that scripts hold; there is one."""

    def __init__(self) -> None:
        self.run: Run | None = None  # `wandb.run`
        self.running: list[Run] = []
        self.early_config: Any = None  # assigned before `init`, whatever it is
        self.trial: Values | None = None  # of a sweep, for the next `init`
        self._folders: list[Path] = []  # that their artifacts have
        self._hooked = False
        os.register_at_fork(after_in_child=self._forked)

    def adopt(self, run: Run, *, as_current: bool) -> None:
        """A run has begun."""
        self.running.append(run)
        if as_current:
            self.run = run
        # The hook registered last runs first: loose files are kept before the store
        # is closed.
        atexit.unregister(self.close)
        atexit.register(self.close)
        if not self._hooked and not in_notebook():
            self._hook()

    def forget(self, run: Run, folder: Path | None) -> None:
        """A run has ended; scripts may read from its folder until they end."""
        if folder is not None:
            self._folders.append(folder)
        if run in self.running:
            self.running.remove(run)
        if self.run is run:
            self.run = None

    def finish_all(self) -> None:
        """End every run."""
        for run in reversed(self.running.copy()):
            run.finish()

    def close(self) -> None:
        """The end of the process."""
        self.finish_all()
        while self._folders:
            saved.remove(self._folders.pop())

    def _forked(self) -> None:
        # A child ends nothing of its parent's, and what it logs there is not kept;
        # `init` gives it a run of its own.
        self.running, self._folders = [], []

    def _hook(self) -> None:
        """Let an exception that ends the script end its runs as failed."""
        self._hooked = True
        before = sys.excepthook

        def ended(
            kind: type[BaseException],
            exc: BaseException,
            trace: TracebackType | None,
        ) -> None:
            before(kind, exc, trace)
            for run in reversed(self.running.copy()):
                run.ended_by(exc)

        sys.excepthook = ended


desk = Desk()


def run_for(call: str) -> Run:
    """The current run.

    Raises
    ------
    Error
        When there is none.
    """
    if desk.run is None:
        raise Error(f"You must call wandb.init() before wandb.{call}()")
    return desk.run
