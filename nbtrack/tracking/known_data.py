"""Remembers what was read of data that cannot change, as long as the data lives.

Ten runs of a cell read a table of pyarrow once. Data that can be written in place is
never remembered: no look that is cheaper than reading it all proves that it is as it
was. A file is remembered by its inode, size and time of change.
"""

from __future__ import annotations

import threading
import time
import weakref
from pathlib import Path
from typing import Any

from nbtrack.capture.file_sweep import Stamp, stamp_of
from nbtrack.records import InputRecord

MAX_KNOWN = 256
_SETTLED_NS = 2_000_000_000  # a file that was written just now may be written again


class KnownData:
    """Records by the object that they are of; weakly, so that nothing is kept alive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[int, tuple[Any, InputRecord]] = {}
        self._files: dict[Path, tuple[Stamp, str]] = {}

    def get(self, value: object) -> InputRecord | None:
        """What was read of this very object."""
        with self._lock:
            reference, record = self._found.get(id(value), (None, None))
        # An id may come again for another object: then the old one is gone.
        return record if reference is not None and reference() is value else None

    def put(self, value: object, record: InputRecord) -> None:
        """Remember it, where the object can be held weakly."""
        key = id(value)
        try:
            reference = weakref.ref(value)
        except TypeError:
            return
        with self._lock:
            while len(self._found) >= MAX_KNOWN:
                del self._found[next(iter(self._found))]
            self._found[key] = (reference, record)

    def file(self, path: Path) -> str | None:
        """The digest of a file that has not been touched since it was read."""
        with self._lock:
            stamp, digest = self._files.get(path, (None, None))
        return digest if stamp is not None and stamp == stamp_of(path) else None

    def put_file(self, path: Path, stamp: Stamp, digest: str) -> None:
        """Remember a file's digest, unless it was written a moment ago."""
        if time.time_ns() - stamp[2] < _SETTLED_NS:
            return
        with self._lock:
            while len(self._files) >= MAX_KNOWN:
                del self._files[next(iter(self._files))]
            self._files[path] = (stamp, digest)


known_data = KnownData()
