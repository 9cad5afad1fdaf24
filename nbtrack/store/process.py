"""What this process holds open, so that forks, exits and second openers are safe.

Three hazards need one place per process. A fork must leave every connection and
journal of the parent untouched. A second descriptor of a session's lock file must
never be closed here (POSIX drops the lock with it), so who asks about a session looks
here first. And there is one writer per process and store.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from typing import Protocol

from nbtrack.store.fork_gate import ForkGate
from nbtrack.store.import_gate import ImportGate


class Resident(Protocol):
    """What is told of a fork and of the process's end."""

    def become_inert(self) -> None:
        """Run in a child right after fork: never touch what is the parent's."""

    def close(self, timeout_s: float = 2.0) -> bool:
        """Keep what is not kept yet, then let go."""


class Process:
    """The one register of a process: sessions held, journals, connections."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.gate = ForkGate()
        self.imports = ImportGate()
        self.sessions: set[str] = set()  # ids whose lock file this process holds
        self.journals: dict[str, Resident] = {}  # by the store's real path
        self.inherited: list[object] = []  # the parent's connections, in a child
        self._connections: weakref.WeakSet[object] = weakref.WeakSet()

    def adopt(self, connection: object) -> None:
        """Remember a connection, so that a forked child never closes it."""
        self._connections.add(connection)

    def forking(self) -> None:
        """Wait until no thread of ours is where a child would be stuck."""
        self.gate.close()
        self.imports.close()

    def went_on(self) -> None:
        """After a fork, in the parent."""
        self.imports.open()
        self.gate.open()

    def forked(self) -> None:
        """Start clean in a child; the parent's things stay alive and untouched."""
        self.imports.open()
        for connection in self._connections:
            _immortalise(connection)
        for journal in self.journals.values():
            journal.become_inert()
        self.inherited = [*self.inherited, *self.journals.values()]
        self.lock, self.gate = threading.RLock(), ForkGate()
        self.sessions, self.journals = set(), {}
        self._connections = weakref.WeakSet()

    def exiting(self) -> None:
        """Drain every journal, within two seconds each."""
        for journal in list(self.journals.values()):
            journal.close(2.0)


def _immortalise(connection: object) -> None:
    # Closing an SQLite connection in a child can undo the parent's locks and WAL; a
    # reference that is never given back is the only way to keep it open at exit.
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


PROCESS = Process()
os.register_at_fork(
    before=PROCESS.forking,
    after_in_parent=PROCESS.went_on,
    after_in_child=PROCESS.forked,
)
# Registered on import, so that hooks registered later (those that finish runs) run
# before it: atexit goes backwards.
atexit.register(PROCESS.exiting)
