"""Collects garbage among the kept files: what nothing names, and how much that is.

A file is named by an artifact's version that is not given up, or by a rich value. What
was kept within the last hour is left alone: whoever kept it may be about to name it. A
pack that holds dead chunks is written anew without them. A dry run says the same
numbers and changes nothing.

Nothing that somebody keeps meanwhile is lost. Rows go first, in one transaction; a save
looks again, in its own, whether what it relies on is there. A pack goes when no row
names it, which is looked up in a transaction too; readers look up its chunks again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection

from nbtrack.errors import StoreError
from nbtrack.store import file_index
from nbtrack.store.asides import is_abandoned
from nbtrack.store.database import Database
from nbtrack.store.disk_files import (
    DiskFile,
    DiskFiles,
    bring_back,
    list_files,
    list_packs,
    remove_blob,
)
from nbtrack.store.packs import ChunkReader, Place, hashes_in, new_pack, pack_path
from nbtrack.store.values import iso


@dataclass(frozen=True, slots=True)
class Freed:
    """What was removed, or would be: bytes as the folders show them."""

    n_files: int
    n_bytes: int
    n_packs: int  # removed, or written anew without what was dead


@dataclass(slots=True)
class _Plan:
    """What is garbage, as of one look at the index."""

    files: list[str] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    packs: list[DiskFile] = field(default_factory=list)  # without a live chunk
    shrinking: list[tuple[DiskFile, int]] = field(default_factory=list)  # by how much
    named: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects in one store, whose database it reads and writes like this.

    `only` are files that may be removed, all where it is None; `before` is when a file
    must have been kept last to be old enough, `without` are versions that are looked at
    as if they were given up.
    """

    store: Path
    reading: Callable[[], AbstractContextManager[Connection]]
    writing: Callable[[], AbstractContextManager[Database]]
    before: float
    only: frozenset[str] | None = None
    without: frozenset[int] = frozenset()

    def count(self) -> Freed:
        """What `collect` would remove."""
        with self.reading() as reader:
            plan = self._plan(reader, list_packs(self.store))
        files = self._loose_files(list_files(self.store), plan.named)
        n_bytes = sum(file.size_bytes for file in [*files, *plan.packs])
        n_bytes += sum(n for _, n in plan.shrinking)
        n_blobs = sum(1 for file in files if _is_blob(file))
        n_packs = len(plan.packs) + len(plan.shrinking)
        return Freed(len(plan.files) + n_blobs, n_bytes, n_packs)

    def collect(self) -> Freed:
        """Remove what is garbage.

        What has no rows goes first: a full disk must have room for a transaction.
        """
        bring_back(self.store)
        removed = self._remove_loose()
        with self.writing() as database:
            connection = database.connection
            plan = self._plan(connection, list_packs(self.store))
            file_index.remove_files(connection, plan.files)
            file_index.remove_chunks(connection, plan.chunks)
        packs = self._remove_packs(plan.packs)
        packs += [self._shrink(pack) for pack, _ in plan.shrinking]
        return Freed(
            len(plan.files) + sum(1 for file in removed if _is_blob(file)),
            sum(packs) + sum(file.size_bytes for file in removed),
            sum(1 for n_bytes in packs if n_bytes),
        )

    def _plan(self, connection: Connection, packs: dict[str, DiskFile]) -> _Plan:
        plan = _Plan(named=file_index.named_files(connection, self.without))
        live, dead = set[bytes](), set[bytes]()
        since = iso(self.before) or ""
        for file in file_index.all_files(connection):
            if file.digest in plan.named or file.kept_at >= since or self._spares(file):
                live.update(hashes_in(file.chunks))
            else:
                plan.files.append(file.digest)
                dead.update(hashes_in(file.chunks))
        left: Counter[str] = Counter()
        touched = set()
        for hash_, place in file_index.all_chunks(connection):
            if (
                hash_ in live
                or self._is_young(packs.get(place.pack))
                or (self.only is not None and hash_ not in dead)
            ):
                left[place.pack] += place.size_bytes
            else:
                plan.chunks.append(hash_)
                touched.add(place.pack)
        for name, pack in packs.items():
            if self._is_young(pack) or (self.only is not None and name not in touched):
                continue
            if not left[name]:
                plan.packs.append(pack)
            elif left[name] < pack.size_bytes:
                plan.shrinking.append((pack, pack.size_bytes - left[name]))
        return plan

    def _spares(self, file: file_index.Listed) -> bool:
        return self.only is not None and file.digest not in self.only

    def _is_young(self, file: DiskFile | None) -> bool:
        return file is not None and file.changed_at >= self.before

    def _loose_files(self, disk: DiskFiles, named: set[str]) -> list[DiskFile]:
        """Garbage that has no rows: blobs, the cache, what dead writers left."""
        unnamed = [file for file in disk.blobs if file.name not in named]
        old = [f for f in [*unnamed, *disk.cached] if not self._is_young(f)]
        if self.only is not None:
            return [file for file in old if file.name in self.only]
        rests = [file for file in disk.rests if not self._is_young(file)]
        return old + [file for file in rests if is_abandoned(file.path)]

    def _remove_loose(self) -> list[DiskFile]:
        removed = []
        with self.reading() as reader:
            named = file_index.named_files(reader, self.without)
        for file in self._loose_files(list_files(self.store), named):
            if not _is_blob(file):
                file.path.unlink(missing_ok=True)
                removed.append(file)
            elif remove_blob(file, before=self.before):
                removed.append(file)
        return removed

    def _remove_packs(self, packs: Sequence[DiskFile]) -> list[int]:
        """Remove packs that no row names; how many bytes each had."""
        freed: list[int] = []
        if not packs:
            return freed
        with self.writing() as database:
            for pack in packs:
                if not file_index.is_named(database.connection, pack.name):
                    pack.path.unlink(missing_ok=True)
                    freed.append(pack.size_bytes)
        return freed

    def _shrink(self, pack: DiskFile) -> int:
        """Write what lives of a pack into a new one; how many bytes that frees."""
        with self.reading() as reader:
            places = file_index.chunks_in(reader, pack.name)
        try:
            moved = self._copy_chunks(pack, places)
        except (StoreError, OSError):
            return 0  # damaged, or the disk is full: it stays as it is
        with self.writing() as database:
            new = {place.pack for place in moved.values()}
            # Until it is named, another collector may have taken it for an orphan.
            if not all(pack_path(self.store / "blobs", name).exists() for name in new):
                return 0
            file_index.move_chunks(database.connection, pack.name, moved)
        freed = self._remove_packs([pack])
        n_bytes = sum(place.size_bytes for place in moved.values())
        return sum(freed) - n_bytes if freed else 0

    def _copy_chunks(
        self, pack: DiskFile, places: dict[bytes, Place]
    ) -> dict[bytes, Place]:
        blobs = self.store / "blobs"
        in_order = sorted(places, key=lambda hash_: places[hash_].start)
        with (
            new_pack(blobs) as new,
            ChunkReader(blobs, b"".join(in_order), lambda _: places) as chunks,
        ):
            for hash_ in in_order:
                new.add(hash_, chunks.read(hash_))
            # As old as what is in it: the next collector need not wait an hour.
            new.settle(as_of=pack.changed_at)
        return new.places


def _is_blob(file: DiskFile) -> bool:
    return file.path.parent.name == file.name[:2]
