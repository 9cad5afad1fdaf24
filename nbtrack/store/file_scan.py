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

Stamp = tuple[int, int, int, int]  # device, inode, bytes, time of the last change in ns


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file that is being read, with the stamp it had at first."""

    path: Path
    file: io.FileIO
    stamp: Stamp

    @property
    def size_bytes(self) -> int:
        """How long the file is."""
        return self.stamp[2]

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


@contextmanager
def reading_file(path: Path) -> Iterator[OpenFile]:
    """A file to keep; StoreError where it cannot be read, or is not what it was."""
    with naming(path), io.FileIO(path, opener=_open_regular) as file:
        reading = OpenFile(path, file, _stamp(os.fstat(file.fileno())))
        yield reading
        reading.check()


def read_small(path: Path, less_than: int) -> bytes | None:
    """All of a file, or None where it is too large for that."""
    with reading_file(path) as file:
        if file.size_bytes >= less_than:
            return None
        return bytes(file.fill(memoryview(bytearray(file.size_bytes))))


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn an error of the system into the store's, saying what cannot be kept."""
    try:
        yield
    except OSError as exc:
        raise StoreError(f"{path} cannot be kept: {exc.strerror}.") from exc


def _open_regular(path: str, flags: int) -> int:
    handle = os.open(path, flags | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise StoreError(f"{path} cannot be kept: it is not a regular file.")


def _stamp(info: os.stat_result) -> Stamp:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns
