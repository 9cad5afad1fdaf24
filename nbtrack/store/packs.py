"""Packs: the new chunks of one save, one behind the other in one file.

    blobs/packs/<32 hex digits>.pack    0400; written beside, synced, then renamed

Where a chunk lies is said by the index in the database, under its blake3 hash; a pack
that the index does not name is garbage. Every chunk that is read is checked against its
hash. A pack is never changed: collecting garbage writes a new one and removes the old.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nbtrack.errors import StoreError
from nbtrack.store.asides import Aside, aside, make_private_folder
from nbtrack.store.cuts import LONGEST_CHUNK_BYTES

HASH_BYTES = 32
PACK_SUFFIX = ".pack"
_NAME = re.compile(r"[0-9a-f]{32}")


class Place(NamedTuple):
    """Where a chunk lies."""

    pack: str
    start: int
    size_bytes: int


Find = Callable[[bytes], Mapping[bytes, Place]]  # of hashes in a row, where they lie


def hash_of(content: bytes | memoryview) -> bytes:
    """The name of a chunk."""
    from blake3 import blake3  # compiled, 2 ms: only who keeps files needs it

    return blake3(content).digest()


def hashes_in(row: bytes) -> list[bytes]:
    """The hashes of a file's chunks, as they stand in a row."""
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]


def packs_folder(blobs: Path) -> Path:
    """Where packs are."""
    return blobs / "packs"


def pack_path(blobs: Path, name: str) -> Path:
    """Where the pack of this name is, there or not."""
    if not _NAME.fullmatch(name):
        raise StoreError(f"{name[:80]!r} is not the name of a pack.")
    return packs_folder(blobs) / f"{name}{PACK_SUFFIX}"


class NewPack:
    """A pack that is being written; begun with its first chunk."""

    def __init__(self, blobs: Path, partial: Aside) -> None:
        self.name = os.urandom(16).hex()
        self.places: dict[bytes, Place] = {}
        self._partial = partial
        self._target = pack_path(blobs, self.name)
        self._size = 0

    def add(self, hash_: bytes, content: bytes | memoryview) -> None:
        """Write a chunk; one that is in this pack already is not written again."""
        if hash_ not in self.places:
            self._partial.write(content)
            self.places[hash_] = Place(self.name, self._size, len(content))
            self._size += len(content)

    def settle(self, *, as_of: float | None = None) -> None:
        """Whole and synced under its name from here on; without chunks, no file."""
        if self.places:
            self._partial.settle(self._target, changed_at=as_of)


@contextmanager
def new_pack(blobs: Path) -> Iterator[NewPack]:
    """A pack that is not there, or whole when it was settled."""
    with aside(
        make_private_folder(packs_folder(make_private_folder(blobs)))
    ) as partial:
        yield NewPack(blobs, partial)


class ChunkReader:
    """Reads chunks, checked; a pack that was replaced meanwhile is looked up again."""

    def __init__(self, blobs: Path, hashes: bytes, find: Find) -> None:
        self._blobs = blobs
        self._find = find
        self._hashes = hashes
        self._places = find(hashes)
        self._open: tuple[str, int] | None = None

    def size_of(self, hash_: bytes) -> int:
        """The length of a chunk."""
        size = self._place(hash_).size_bytes
        if not 0 <= size <= LONGEST_CHUNK_BYTES:
            raise StoreError(f"Chunk {hash_.hex()[:12]}… has an impossible length.")
        return size

    def read(self, hash_: bytes) -> bytes:
        """The chunk; StoreError where it is not there or not what was kept."""
        size = self.size_of(hash_)
        place = self._place(hash_)
        try:
            handle = self._handle(place.pack)
        except FileNotFoundError:
            self._places = self._find(self._hashes)
            place = self._place(hash_)
            handle = self._again(place.pack)
        try:
            content = os.pread(handle, size, place.start)
        except OSError as exc:
            raise StoreError(f"{self._named(place)}: {exc.strerror}.") from exc
        if hash_of(content) != hash_:
            raise StoreError(f"{self._named(place)} holds other bytes than were kept.")
        return content

    def close(self) -> None:
        """Let go of the pack."""
        if self._open is not None:
            os.close(self._open[1])
            self._open = None

    def __enter__(self) -> ChunkReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _place(self, hash_: bytes) -> Place:
        place = self._places.get(hash_)
        if place is None:
            raise StoreError(f"Chunk {hash_.hex()[:12]}… is not in the store.")
        return place

    def _handle(self, pack: str) -> int:
        if self._open is None or self._open[0] != pack:
            self.close()
            path = pack_path(self._blobs, pack)
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            self._open = (pack, handle)
        return self._open[1]

    def _again(self, pack: str) -> int:
        try:
            return self._handle(pack)
        except OSError as exc:
            path = pack_path(self._blobs, pack)
            raise StoreError(f"{path} cannot be read: {exc.strerror}.") from exc

    def _named(self, place: Place) -> str:
        path = pack_path(self._blobs, place.pack)
        return f"{path} from byte {place.start} on"
