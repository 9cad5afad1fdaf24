"""A store as somebody follows it who looks at many, for as long as they are there.

It waits for no lock for long, and for no question; it is not noted as used, and not
brought up to date: whose notebooks are in it may have another nbtrack.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store.database import Connection, inspect, why_read_only
from nbtrack.store.recovery import recover_if_possible
from nbtrack.store.schema import VERSION
from nbtrack.store.store import Store

WAIT_S = 0.25  # for a lock: the others are to be answered for too
QUESTION_S = 10.0
_PROGRESS_STEPS = 100_000  # of SQLite's machine, about a millisecond
_CACHE_KIB = 1_024  # of a hundred stores that are open; the kernel has their pages too


class FollowedStore(Store):
    """A store that is open for long beside others; made by `FollowedStore.open`.

    `open` raises StoreError where the store is locked, or of an older version.

    >>> import nbtrack
    >>> with nbtrack.start("base") as run: pass
    >>> run.store.journal.flush(5.0)
    True
    >>> with FollowedStore.open(run.store.path, create=False) as store:
    ...     [found.name for found in store.runs()]
    ['base']
    """

    _wait_s = WAIT_S
    _late_at = 0.0

    @classmethod
    def _opened(cls, folder: Path, database: Path, *, created: bool) -> Store:
        version = inspect(database, wait_s=WAIT_S)
        why = why_read_only(folder, database, version)
        if version < VERSION:
            raise StoreError(
                f"The store has version {version}, this nbtrack reads {VERSION}: "
                f"nbtrack.open({str(folder)!r}) brings it up to date."
            )
        if why is None:
            recover_if_possible(database, wait_s=WAIT_S)
        return cls(folder, created=created, version=version, why_read_only=why)

    def _connect_reader(self) -> Connection:
        connection = super()._connect_reader()
        connection.execute(f"pragma cache_size = -{_CACHE_KIB}")
        connection.set_progress_handler(self._is_late, _PROGRESS_STEPS)
        return connection

    def _is_late(self) -> int:
        return int(time.monotonic() > self._late_at)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        self._late_at = time.monotonic() + QUESTION_S
        with super()._reading() as reader:
            yield reader
