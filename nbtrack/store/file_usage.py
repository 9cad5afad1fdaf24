"""How much of the disk each kept file takes, so that the parts add up to the whole.

A chunk that several files share is split evenly among them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from nbtrack.store import file_index
from nbtrack.store.disk_files import list_files
from nbtrack.store.packs import hashes_in


@dataclass(frozen=True, slots=True)
class FileUsage:
    """Bytes under `blobs/` and `cache/`; the files and the rest are the total."""

    total_bytes: int
    by_digest: Mapping[str, float]

    @property
    def other_bytes(self) -> float:
        """What belongs to no file: dead chunks, copies for readers, rests of saves."""
        # Thirds of a chunk do not add up to the last bit.
        return round(self.total_bytes - math.fsum(self.by_digest.values()), 3)


def read_usage(connection: Connection, store: Path) -> FileUsage:
    """What the files take now."""
    disk = list_files(store)
    files = {
        f.digest: set(hashes_in(f.chunks)) for f in file_index.all_files(connection)
    }
    sizes = {
        hash_: place.size_bytes
        for hash_, place in file_index.all_chunks(connection)
        if place.pack in disk.packs
    }
    n_files = Counter(hash_ for hashes in files.values() for hash_ in hashes)
    usage = {
        digest: sum(sizes.get(hash_, 0) / n_files[hash_] for hash_ in hashes)
        for digest, hashes in files.items()
    }
    for file in disk.blobs:
        usage[file.name] = usage.get(file.name, 0.0) + file.size_bytes
    return FileUsage(disk.total_bytes, usage)
