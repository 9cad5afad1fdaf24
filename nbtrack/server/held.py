"""One store that the server holds open, and what it read of it last.

All that is kept between two requests is the head of each run, so that a page that asks
whether anything is new costs one look at the file and one at each running process.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from pathlib import Path

from nbtrack.server.found import Found
from nbtrack.store import Store
from nbtrack.store.database import identity_of
from nbtrack.store.followed import FollowedStore
from nbtrack.store.liveness import is_alive
from nbtrack.store.locate import DATABASE_NAME
from nbtrack.store.small_reads import RunHead


class Held:
    """An open store; used from one thread.

    Opening one raises StoreError where it cannot be read.
    """

    def __init__(self, found: Found) -> None:
        self.id = found.id
        self.store: Store = FollowedStore.open(found.path, create=False)
        self.heads: list[RunHead] = []
        self._database = self.store.path / DATABASE_NAME
        # Without its log's index a file is read as it stood when it was opened.
        has_index = os.path.exists(f"{self._database}-shm")
        self._is_frozen = self.store.read_only and not has_index
        self._stamp = self._stamp_now()
        self._version: Hashable = None
        self._running: frozenset[str] = frozenset()  # sessions whose runs should run
        self._alive: frozenset[str] = frozenset()  # those of them that do

    def look(self) -> Hashable:
        """Read what has changed; another value than before where something has."""
        version = (identity_of(self._database), self.store.version())
        if version != self._version:
            self.heads = self.store.run_heads()
            self._running = frozenset(
                head.session
                for head in self.heads
                if head.status == "running" and head.session
            )
            self._version = version
        journal = self.store.path / "journal"
        self._alive = frozenset(s for s in self._running if is_alive(journal / s))
        return version, self._alive

    def status(self, head: RunHead) -> str:
        """The status of a run: one whose process is gone has crashed."""
        if head.status != "running" or head.session in {None, *self._alive}:
            return head.status
        return "crashed"

    def is_outdated(self) -> bool:
        """Whether a store that is read as it stood was written since by somebody."""
        return self._is_frozen and self._stamp != self._stamp_now()

    def _stamp_now(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp(Path(f"{self._database}{end}")) for end in ("", "-wal"))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_mtime_ns, info.st_size
