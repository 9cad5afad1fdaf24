"""Lets no fork fall into the middle of an import of another thread.

A module is locked while a thread imports it. A child that is forked in that moment has
the lock and not the thread that would release it, and its own import of that module
waits for ever: Python looks after its one lock of all imports at a fork, not after
those of single modules (`importlib._bootstrap._ModuleLock`). Our threads import what
they need when they begin, so a fork waits for them, at most `FORK_WAIT_S`.
"""

from __future__ import annotations

import _imp
import threading
import time
from contextlib import suppress
from importlib import _bootstrap

FORK_WAIT_S = 0.5  # an import that takes longer is not worth holding up a fork


class ImportGate:
    """Open but for the moment of a fork; used by the thread that forks.

    >>> gate = ImportGate()
    >>> gate.close()
    >>> gate.open()
    """

    def __init__(self) -> None:
        self._is_held = False

    def close(self) -> None:
        """Before a fork: wait until no other thread imports, and let none begin."""
        until = time.monotonic() + FORK_WAIT_S
        while not self._try_close() and time.monotonic() < until:
            time.sleep(0.001)

    def open(self) -> None:
        """After a fork, in the parent and in the child."""
        if self._is_held:
            self._is_held = False
            with suppress(RuntimeError):  # a Python that gave the child a new lock
                _imp.release_lock()

    def _try_close(self) -> bool:
        # Whoever begins an import asks for this lock first.
        _imp.acquire_lock()
        self._is_held = not _others_import()
        if not self._is_held:
            _imp.release_lock()
        return self._is_held


def _others_import() -> bool:
    mine = threading.get_ident()
    locks = [
        known() for known in list(getattr(_bootstrap, "_module_locks", {}).values())
    ]
    return any(getattr(lock, "owner", None) not in (None, mine) for lock in locks)
