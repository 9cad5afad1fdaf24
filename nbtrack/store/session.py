"""One process's life with one store: its lock, its journal and its writer.

Made when the first thing is logged, shared by every `Store` object of the process on
that store, and ended when the last of them is closed or the interpreter exits.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

from nbtrack.guard import guard
from nbtrack.interrupts import Thread
from nbtrack.store.database import connect, identity_of
from nbtrack.store.journal import Journal
from nbtrack.store.liveness import SessionLock
from nbtrack.store.process import PROCESS
from nbtrack.store.reserve import Reserve

CLOSE_S = 5.0
FIRST_DRAIN_S = 0.2


class Session:
    """What the process holds of one store while it logs."""

    def __init__(self, database: Path, *, network: bool) -> None:
        facts = {
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "started_at": time.time(),
        }
        self.n_users = 0
        self.identity = identity_of(database)
        self._database = database
        self._pid = os.getpid()
        self._lock = _own_folder(database.parent / "journal", facts)
        folder = None if self._lock is None else self._lock.folder
        session = _new_id() if self._lock is None else self._lock.id
        PROCESS.sessions.add(session)
        self.journal = Journal(Reserve(folder, mapped=not network), session)
        self._stop_by: float | None = None
        self._is_complete = False
        work = partial(self._write, facts, network)
        self._thread = Thread(work, name="nbtrack-writer")
        self._thread.start()

    def close(self, timeout_s: float = CLOSE_S) -> bool:
        """Commit what waits, then let go; False where it stays for the next opener."""
        if os.getpid() != self._pid:
            return False
        if PROCESS.journals.get(str(self._database)) is self:
            del PROCESS.journals[str(self._database)]
        self.journal.end()
        self._stop_by = time.monotonic() + timeout_s
        self.journal.wake.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False  # stuck in a commit: the lock goes with the process
        with guard("closing the journal"):
            self._let_go()
        return self._is_complete

    def is_of_another_store(self) -> bool:
        """Whether the store was deleted, and perhaps made anew at the same place."""
        return self.journal.is_gone or identity_of(self._database) != self.identity

    def become_inert(self) -> None:
        """In a forked child: see `Journal.become_inert`."""
        self.journal.become_inert()

    def _write(self, facts: dict[str, Any], network: bool) -> None:
        """The thread: waits first, so that a run begins before its writer is loaded."""
        self.journal.wake.wait(FIRST_DRAIN_S)
        from nbtrack.store.writer import Writer

        writer = Writer(
            self.journal,
            partial(connect, self._database, network=network),
            lock=self._lock,
            facts=facts,
            stop_by=lambda: self._stop_by,
        )
        self._is_complete = writer.run()

    def _let_go(self) -> None:
        PROCESS.sessions.discard(self.journal.session)
        if self._lock is None:
            return
        if self._is_complete and self._lock.folder.is_dir():
            self._lock.remove()
        else:
            self._lock.release()


def join_session(database: Path, *, network: bool) -> Session:
    """The process's session with this store, made on first use; then `leave` it."""
    with PROCESS.lock:
        found = PROCESS.journals.get(str(database))
        if not isinstance(found, Session) or found.is_of_another_store():
            found = Session(database, network=network)
            PROCESS.journals[str(database)] = found
        found.n_users += 1
        return found


def leave_session(session: Session) -> None:
    """The last one to leave ends it."""
    with PROCESS.lock:
        session.n_users -= 1
        is_last = session.n_users <= 0
    if is_last:
        session.close()


def read_only_journal(why: str) -> Journal:
    """A journal for a store that cannot be written: one warning, then only counts."""
    guard.warn_once("read-only store", why)
    journal = Journal(None, "")
    journal.end(gone=True)
    return journal


def _own_folder(journal: Path, facts: dict[str, Any]) -> SessionLock | None:
    try:
        return SessionLock.create(journal, _new_id(), facts)
    except OSError as exc:
        guard.warn_once(
            "journal on disk",
            f"no journal can be made in {journal} ({exc.strerror}): points wait in "
            "memory and are lost if the kernel dies now",
        )
        return None


def _new_id() -> str:
    """Sorts by time; the rest keeps two sessions of one second apart."""
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.urandom(4).hex()}"
