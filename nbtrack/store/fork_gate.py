"""Lets no fork fall into the middle of an SQLite call of another thread.

SQLite and our own threads hold locks for the length of a call. A child that is forked
in that moment inherits the lock without the thread that would release it, and its
first read hangs for ever. So whoever calls SQLite passes this gate, and a fork waits
until nobody is inside, at most `FORK_WAIT_S`: a DataLoader starts a moment later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from nbtrack.interrupts import Changes

FORK_WAIT_S = 0.5  # a store that another process locks must not hold up a fork for long


class ForkGate:
    """Open but for the moment of a fork.

    >>> gate = ForkGate()
    >>> with gate.inside():
    ...     gate.n_inside
    1
    """

    def __init__(self) -> None:
        self.n_inside = 0
        self._is_closed = False
        self._changed = Changes()
        self._own = threading.local()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside for a call to SQLite; waits while a fork is under way."""
        depth = getattr(self._own, "depth", 0)
        if not depth:  # who is inside already may go deeper, or a fork waits for him
            self._enter()
        self._own.depth = depth + 1
        try:
            yield
        finally:
            self._own.depth = depth
            if not depth:
                self._leave()

    def close(self) -> None:
        """Before a fork: let nobody in and wait for those inside."""
        until = time.monotonic() + FORK_WAIT_S
        with self._changed:
            self._is_closed = True
            # The thread that forks may be inside itself: it waits for the others.
            mine = 1 if getattr(self._own, "depth", 0) else 0
            while self.n_inside > mine and time.monotonic() < until:
                self._changed.wait(until - time.monotonic())

    def open(self) -> None:
        """After a fork, in the parent."""
        with self._changed:
            self._is_closed = False
            self._changed.notify_all()

    def _enter(self) -> None:
        with self._changed:
            while self._is_closed:
                self._changed.wait()
            self.n_inside += 1

    def _leave(self) -> None:
        with self._changed:
            self.n_inside -= 1
            self._changed.notify_all()
