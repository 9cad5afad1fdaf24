"""Sessions of other machines, written here as they say what they record.

A process on another machine keeps a store of its own and tells all that it commits
(`Journal.follow`); here each such session is entered under its own id, with a lock that
this process holds. So its runs are `running` while both live, and `crashed` once either
is gone. Files do not come this way: what names one is left to a merge of that store.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.errors import StoreError
from nbtrack.guard import guard
from nbtrack.store.columns import columns_by_series
from nbtrack.store.compact import compact_run
from nbtrack.store.controls import Controls
from nbtrack.store.database import Database, connect
from nbtrack.store.ingest import Ingest
from nbtrack.store.journal import CommandCall
from nbtrack.store.liveness import SessionLock
from nbtrack.store.merge.copy import is_safe_id
from nbtrack.store.process import PROCESS

if TYPE_CHECKING:
    from nbtrack.store.store import Store

END_S = 5.0  # the longest that the end of a session waits for a locked store
_RETRY_S = 0.1
_OF_FILES = frozenset({"checkpoint", "artifact", "artifact_used"})

Event = Mapping[str, Any]  # Any: JSON values, checked where they are applied


def names_a_file(event: Event) -> bool:
    """Whether an event is about a file, which does not come along with it.

    >>> names_a_file({"kind": "artifact"}), names_a_file({"kind": "media", "step": 0})
    (True, False)
    """
    is_rich = event.get("kind") == "media" and event.get("digest") is not None
    return event.get("kind") in _OF_FILES or is_rich


class Replicas:
    """Writes such sessions to a store; used by one thread.

    Nothing here raises for a store that is locked: what was said waits.

    >>> import tempfile
    >>> from nbtrack.store import Store
    >>> store = Store.open(tempfile.mkdtemp())
    >>> replicas = Replicas(store)
    >>> there = replicas.begin("20260101T000000-aa", {"host": "node7", "pid": 3})
    >>> there.take([{"kind": "run_started", "run": "r1", "name": "base"}], b"")
    >>> store.run("r1").status
    'running'
    >>> there.end()
    >>> store.run("r1").status
    'crashed'
    >>> replicas.close()
    >>> store.close()
    """

    def __init__(self, store: Store) -> None:
        self.callbacks: dict[str, CommandCall] = {}  # by run: who takes its commands
        self._store = store
        self._database: Database | None = None
        self._controls: Controls | None = None

    def begin(self, session: str, facts: Mapping[str, Any]) -> Replica:
        """Enter a session of another machine.

        Parameters
        ----------
        facts
            Of its process: `pid`, `host`, `started_at` in seconds since the epoch.

        Raises
        ------
        StoreError
            For an id that is none.
        """
        if not is_safe_id(session):
            raise StoreError(f"{session!r} is not the id of a session.")
        if self._database is None:
            path, network = self._store._database, self._store._network
            self._database = connect(path, network=network)
            self._controls = Controls(self._database, self)
        journal = self._store.path / "journal"
        lock = SessionLock.create(journal, session, dict(facts))
        return Replica(self._database, lock, dict(facts))

    def poll(self) -> None:
        """Give commands to runs, as of the Stop button, to who takes them."""
        if self._controls is not None:
            with guard("a command to a run"), PROCESS.gate.inside():
                self._controls.poll()

    def close(self) -> None:
        """Let go of the store; its replicas have ended."""
        if self._database is not None:
            self._database.close()
            self._database = None


class Replica:
    """One session of another machine; made by `Replicas.begin`."""

    def __init__(
        self, database: Database, lock: SessionLock, facts: dict[str, Any]
    ) -> None:
        self._database = database
        self._lock = lock
        self._facts = facts
        self._ingest: Ingest | None = None
        self._n_taken = 0
        self._waiting: deque[tuple[list[Event], bytes]] = deque()

    def take(self, events: list[Event], slots: bytes) -> None:
        """Keep what was committed there, in the order in which it was told.

        `slots` are points, of 32 bytes each, as `Journal.follow` gives them.
        """
        self._waiting.append(([e for e in events if not names_a_file(e)], slots))
        self._write_what_waits()

    def end(self) -> None:
        """The session is over: a run of it that did not end has crashed."""
        until = time.monotonic() + END_S
        while not self._is_ended():
            if time.monotonic() > until:
                self._lock.release()  # the next opener of the store settles it
                return
            time.sleep(_RETRY_S)
        self._lock.remove()

    def _is_ended(self) -> bool:
        return self._write_what_waits() and self._tried(self._settle)

    def _write_what_waits(self) -> bool:
        """Whether nothing waits any more."""
        while self._waiting and self._tried(self._write_first):
            self._waiting.popleft()
        self._tried(self._compact)
        return not self._waiting

    def _tried(self, call: Callable[[], None]) -> bool:
        try:
            with PROCESS.gate.inside():
                call()
        except (sqlite3.Error, OSError) as exc:
            guard.warn_once("replica", f"points of other machines wait: {exc}")
            return False
        return True

    def _write_first(self) -> None:
        if self._ingest is None:
            ingest = Ingest(self._database, self._lock.id)
            ingest.begin(self._facts)
            self._ingest = ingest
        events, slots = self._waiting[0]
        self._ingest.take_said(
            [dict(event) for event in events],
            list(columns_by_series(slots)),
            position=(1, self._n_taken + 2),
            holes=[],
        )
        self._n_taken += 1

    def _compact(self) -> None:
        while self._ingest is not None and self._ingest.finished:
            compact_run(self._database, self._ingest.finished[0])
            del self._ingest.finished[0]

    def _settle(self) -> None:
        if self._ingest is not None:
            with self._database.write(durable=True):
                self._ingest.end()
