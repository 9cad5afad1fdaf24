"""The thread on which data is read: in turns, and in small steps with pauses.

Beside `background`, because gigabytes take seconds, and what is known of small data
shall stand under the cell that read it. Each piece of work is a generator whose steps
tell how long they held Python; after some milliseconds of that the thread sleeps four
times as long, so training that is Python itself loses at most a fifth, and training
that waits for numpy or a GPU nothing. Nobody sleeps while somebody waits.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Generator

from nbtrack.guard import guard
from nbtrack.interrupts import Changes, Thread
from nbtrack.tracking.background import background

FEATURE = "data"
SLICE_S = 0.05  # of one run's work, then that of another has its turn
HELD_S = 0.004  # of Python, then a pause: other threads are let in every 5 ms
PAUSE = 4.0  # times what was held
PAUSE_MAX_S = 0.1
_IDLE_S = 2.0  # an idle thread ends; the next work starts another

Steps = Generator[float, None, None]  # seconds of Python that each step took


class DataWorker:
    """Does work in turns; in a forked child it does none.

    >>> def steps():
    ...     yield 0.0
    ...     print("read")
    >>> worker = DataWorker()
    >>> worker.submit(steps())
    >>> worker.settle(1.0)
    read
    True
    """

    def __init__(self) -> None:
        self._changed = Changes()
        self._waiting: deque[Steps] = deque()
        self._n_open = 0
        self._n_settling = 0
        self._thread: threading.Thread | None = None
        self._inert = False
        os.register_at_fork(after_in_child=self._forked)

    def submit(self, steps: Steps) -> None:
        """Do this work soon; what it raises is a warning."""
        if self._inert:
            return
        with self._changed:
            self._waiting.append(steps)
            self._n_open += 1
            if self._thread is None:
                self._thread = Thread(self._work, name="nbtrack-data")
                self._thread.start()
            self._changed.notify_all()

    def settle(self, timeout_s: float) -> bool:
        """Wait until everything so far is read; False when the time is up."""
        if self._inert or threading.current_thread() is self._thread:
            return True
        with self._changed:
            self._n_settling += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: not self._n_open, timeout_s)
            finally:
                self._n_settling -= 1

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._changed.wait(_IDLE_S)
                if not self._waiting:
                    self._thread = None
                    return
                steps = self._waiting.popleft()
            is_done = True
            with guard(FEATURE):
                is_done = self._turn(steps)
            with self._changed:
                if is_done:
                    self._n_open -= 1
                    self._changed.notify_all()
                else:
                    self._waiting.append(steps)
            del steps  # what it holds is let go of before the next work comes

    def _turn(self, steps: Steps) -> bool:
        """Some steps of one work; whether that was all of it."""
        started, held = time.monotonic(), 0.0
        for python_s in steps:
            held += python_s
            if held > HELD_S:
                self._pause(held)
                held = 0.0
            if time.monotonic() - started > SLICE_S:
                return False
        return True

    def _pause(self, held_s: float) -> None:
        with self._changed:
            if not self._n_settling:
                self._changed.wait(min(PAUSE_MAX_S, PAUSE * held_s))

    def _forked(self) -> None:
        self._changed = Changes()
        self._inert, self._thread = True, None
        self._waiting.clear()
        self._n_open = self._n_settling = 0


data_worker = DataWorker()
background.settle_too(data_worker.settle)
