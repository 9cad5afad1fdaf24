"""Reads a file that is to be kept, and refuses one that changes meanwhile.

Device, inode, size and time of the last change must be the same before and after. Only
regular files are read; a pipe is not waited for.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store.blobs import FileRef
from nbtrack.store.cuts import lengths_of
from nbtrack.store.packs import hash_of

Stamp = tuple[int, int, int, int]  # device, inode, bytes, time of the last change in ns


@dataclass(slots=True)
class FileScan:
    """A file as it was read the first time; `digest` is its sha256, once known."""

    path: Path
    stamp: Stamp
    lengths: list[int]
    chunks: bytes  # their hashes
    digest: str | None = None
    is_whole: bool = False  # kept as a blob of its own already

    @property
    def size_bytes(self) -> int:
        """How long the file is."""
        return self.stamp[2]

    def ref(self) -> FileRef:
        """What is said of it when it is kept."""
        if self.digest is None:
            raise StoreError(f"{self.path} was not kept.")
        return FileRef(self.digest, self.size_bytes)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file that is being read, with the stamp it had at first."""

    path: Path
    file: io.FileIO
    stamp: Stamp

    def fill(self, view: memoryview) -> memoryview:
        """Read until the view is full."""
        at = 0
        while at < len(view):
            n = self.file.readinto(view[at:])
            if not n:
                raise self.changed()
            at += n
        return view

    def check(self) -> None:
        """Raise StoreError where the file was changed, or another is at its path."""
        now = _stamp(os.fstat(self.file.fileno()))
        if not self.stamp == now == _stamp(os.stat(self.path)):
            raise self.changed()

    def changed(self) -> StoreError:
        """What is raised where the file is no longer what it was."""
        return StoreError(
            f"{self.path} cannot be kept: it was changed while it was read. Save it "
            "again when nobody writes to it."
        )


def read_small(path: Path, less_than: int) -> bytes | None:
    """All of a file, or None where it is too large for that."""
    with _reading(path) as file:
        size = file.stamp[2]
        if size >= less_than:
            return None
        content = bytes(file.fill(memoryview(bytearray(size))))
        file.check()
    return content


def scan_file(path: Path, small_bytes: int) -> FileScan:
    """Read a file for the hashes of its chunks; a small one for its sha256 too."""
    import hashlib

    with _reading(path) as file:
        size = file.stamp[2]
        lengths = lengths_of(file.file.fileno(), size)
        buffer = memoryview(bytearray(max(lengths, default=0)))
        hashes, sha = bytearray(), hashlib.sha256()
        for length in lengths:
            view = file.fill(buffer[:length])
            hashes += hash_of(view)
            if size < small_bytes:
                sha.update(view)
        file.check()
    digest = sha.hexdigest() if size < small_bytes else None
    return FileScan(path, file.stamp, lengths, bytes(hashes), digest)


@contextmanager
def read_again(scan: FileScan) -> Iterator[OpenFile]:
    """The file a second time; StoreError where it is, or becomes, another."""
    with _reading(scan.path) as file:
        if file.stamp != scan.stamp:
            raise file.changed()
        yield file
        file.check()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn an error of the system into the store's, saying what cannot be kept."""
    try:
        yield
    except OSError as exc:
        raise StoreError(f"{path} cannot be kept: {exc.strerror}.") from exc


@contextmanager
def _reading(path: Path) -> Iterator[OpenFile]:
    with naming(path):
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb", buffering=0) as file:
            info = os.fstat(handle)
            if not stat.S_ISREG(info.st_mode):
                raise StoreError(f"{path} cannot be kept: it is not a regular file.")
            yield OpenFile(path, file, _stamp(info))


def _stamp(info: os.stat_result) -> Stamp:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns
