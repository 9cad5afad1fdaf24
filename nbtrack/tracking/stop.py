"""Stopping a run that is busy: what pressing Stop means, step by step.

1. `request` (from any thread: panel, control row, sidebar) raises a flag, nothing else.
2. Inside `nbtrack.epochs` the loop ends after the epoch and the cell completes.
3. Elsewhere the next `log()` or watched value raises `RunStopped` in the run's thread.
4. When neither happens within `GRACE_S`, the main thread is interrupted as by Ctrl-C.
5. A second request does not wait for the end of the epoch.

A checkpoint is saved before the exception where somebody registered `before_stop`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from nbtrack.errors import RunStopped
from nbtrack.guard import guard

GRACE_S = 5.0  # DESIGN: after 5 s without a log or watch the main thread is interrupted


class StopSwitch:
    """The flag of one run; `requested` is a plain attribute for the hot path."""

    def __init__(self, run_name: str, *, grace_s: float = GRACE_S) -> None:
        self.requested = False
        self.by = ""
        self.before_stop: list[Callable[[], object]] = []
        self._run_name = run_name
        self._grace_s = grace_s
        self._soft_loops = 0
        self._insisted = False
        self._done = False
        self._thread = threading.get_ident()
        self._timer: threading.Timer | None = None

    def request(self, by: str) -> None:
        """Ask for a stop; safe from every thread, returns at once."""
        self._insisted = self.requested
        self.requested, self.by = True, by
        if self._timer is None or self._insisted:
            self._timer = threading.Timer(self._grace_s, self._interrupt)
            self._timer.daemon = True
            self._timer.start()

    def check(self) -> None:
        """Raise `RunStopped` once, in the run's own thread, unless an epoch may end.

        Raises
        ------
        RunStopped
            When a stop was requested and no soft loop is going to honour it.
        """
        if not self.requested or self._done or self._waits_for_epoch():
            return
        if threading.get_ident() != self._thread:
            return
        self.honour()
        raise RunStopped(f"run {self._run_name!r} was stopped ({self.by})")

    def honour(self) -> None:
        """The stop is being carried out: save what was registered, once."""
        if self._done:
            return
        self.end()
        for save in self.before_stop:
            with guard("checkpoint at stop"):
                save()

    def end(self) -> None:
        """The run is over or stopping: nothing may be interrupted any more."""
        self._done = True
        if self._timer is not None:
            self._timer.cancel()

    def enter_soft_loop(self) -> None:
        """An `epochs` loop runs: it will look at `requested` between epochs."""
        self._soft_loops += 1

    def leave_soft_loop(self) -> None:
        """The `epochs` loop is over, for whatever reason."""
        self._soft_loops -= 1

    def _waits_for_epoch(self) -> bool:
        return self._soft_loops > 0 and not self._insisted

    def _interrupt(self) -> None:
        if self._done or self._waits_for_epoch():
            return
        # A real signal also wakes sleeping system calls, interrupt_main() does not.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
