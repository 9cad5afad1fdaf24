"""One thread for what need not be known before the training goes on.

Reading git, hashing data, encoding pictures: jobs run one after another, each under
the guard, and nobody waits for them but the end of the process and those who read.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable

from nbtrack.guard import guard
from nbtrack.interrupts import Changes, Thread

Job = Callable[[], None]
LEAVE_ALONE_S = 0.1  # a run has its first metric by then, and no rival for the GIL
_IDLE_S = 2.0  # an idle thread ends; the next job starts another


class Background:
    """Runs jobs in the order in which they came; in a forked child it runs none.

    >>> work = Background()
    >>> work.submit(lambda: print("done"), feature="greeting")
    >>> work.settle(1.0)
    done
    True
    """

    def __init__(self) -> None:
        self._changed = Changes()
        self._jobs: deque[tuple[float, Job, str]] = deque()  # due, job, feature
        self._n_waiting = 0  # calls of `settle`: then nothing waits for its time
        self._thread: threading.Thread | None = None
        self._n_open = 0
        self._inert = False
        self._companions: list[Callable[[float], bool]] = []
        os.register_at_fork(after_in_child=self._forked)

    def submit(self, job: Job, *, feature: str) -> None:
        """Run `job` soon; what it raises is a warning of `feature`."""
        if self._inert:
            return
        with self._changed:
            self._jobs.append((time.monotonic() + LEAVE_ALONE_S, job, feature))
            self._n_open += 1
            if self._thread is None:
                self._thread = Thread(self._work, name="nbtrack-background")
                self._thread.start()
            self._changed.notify_all()

    def settle_too(self, settle: Callable[[float], bool]) -> None:
        """Who waits for everything here waits for that worker's as well."""
        self._companions.append(settle)

    def settle(self, timeout_s: float) -> bool:
        """Wait until everything so far is done; False when the time is up."""
        until = time.monotonic() + timeout_s
        done = self._settle(timeout_s)
        for settle in self._companions:
            done &= settle(max(0.0, until - time.monotonic()))
        return done

    def _settle(self, timeout_s: float) -> bool:
        if self._inert or threading.current_thread() is self._thread:
            return True
        with self._changed:
            self._n_waiting += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._n_open, timeout_s)
            finally:
                self._n_waiting -= 1

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._jobs:
                    self._changed.wait(_IDLE_S)
                if not self._jobs:
                    self._thread = None
                    return
                due = self._jobs[0][0]
                while not self._n_waiting and (left := due - time.monotonic()) > 0:
                    self._changed.wait(left)
                _, job, feature = self._jobs.popleft()
            with guard(feature):
                job()
            del job  # what it held is let go before the next one comes
            with self._changed:
                self._n_open -= 1
                self._changed.notify_all()

    def _forked(self) -> None:
        self._changed = Changes()
        self._inert, self._thread = True, None
        self._jobs.clear()
        self._n_open = self._n_waiting = 0


background = Background()
