"""Stopping a run that is busy: what pressing Stop means, step by step.

1. `request` (from any thread: panel, control row, sidebar) raises a flag, nothing else.
2. Inside `nbtrack.epochs` the loop ends after the epoch and the cell completes.
3. Elsewhere the next `log()` or watched value raises `RunStopped` in the run's thread.
4. When neither happens within `GRACE_S`, the main thread is interrupted as by Ctrl-C.
5. A second request waits for no epoch, and stops what runs after a soft end too.

A checkpoint is saved before the exception where somebody registered `before_stop`; not
where a sweep prunes the run, of which nothing better is to be expected.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

from nbtrack.errors import RunStopped
from nbtrack.guard import guard
from nbtrack.records import Status

GRACE_S = 5.0  # DESIGN: after 5 s without a log or watch the main thread is interrupted


class StopSwitch:
    """The flag of one run; `requested` is a plain attribute for the hot path."""

    def __init__(self, run_name: str, *, grace_s: float = GRACE_S) -> None:
        self.requested = False
        self.by = ""
        self.outcome: Status = "stopped"  # of a run that ends by it
        self.before_stop: list[Callable[[], object]] = []
        self._run_name = run_name
        self._grace_s = grace_s
        self._soft_loops = 0
        self._insisted = False
        self._honoured = False
        self._ended = False
        self._thread = threading.get_ident()
        self._timer: threading.Timer | None = None

    def request(self, by: str, *, outcome: Status = "stopped") -> None:
        """Ask for a stop; safe from every thread, returns at once."""
        self._insisted = self.requested
        self.outcome = outcome
        self.requested, self.by = True, by
        self._cancel_timer()
        self._timer = threading.Timer(self._grace_s, self._interrupt)
        self._timer.daemon = True
        self._timer.start()

    def check(self) -> None:
        """Raise `RunStopped` once a request, in the run's thread, unless an epoch ends.

        Raises
        ------
        RunStopped
            When a stop was requested and no soft loop is going to honour it.
        """
        if not self._is_due() or not self.is_own_thread():
            return
        self.honour()
        raise RunStopped(f"run {self._run_name!r} was stopped ({self.by})")

    def honour(self) -> None:
        """The stop is being carried out: save what was registered, once."""
        first = not self._honoured
        self._honoured, self._insisted = True, False
        self._cancel_timer()
        if first and self.outcome == "stopped":
            self.save()

    def save(self) -> None:
        """Save what was registered; for a stop, or because somebody asked."""
        for save in list(self.before_stop):
            with guard("checkpoint at stop"):
                save()

    def is_own_thread(self) -> bool:
        """Whether the caller is the thread that began the run."""
        return threading.get_ident() == self._thread

    def end(self) -> None:
        """The run is over: nothing may be interrupted any more."""
        self._ended = True
        self._cancel_timer()

    def enter_soft_loop(self) -> None:
        """An `epochs` loop runs: it will look at `requested` between epochs."""
        self._soft_loops += 1

    def leave_soft_loop(self) -> None:
        """The `epochs` loop is over, for whatever reason."""
        self._soft_loops -= 1

    def _is_due(self) -> bool:
        if self._ended or not self.requested:
            return False
        return self._insisted or not (self._honoured or self._soft_loops)

    def _interrupt(self) -> None:
        if self._is_due():
            # A real signal also wakes sleeping system calls; interrupt_main() does not.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
