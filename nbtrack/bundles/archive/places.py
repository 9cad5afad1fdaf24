"""Where the bytes of a bundle come from: a zip file, or the folder it was unpacked to.

Both give the names of what is there and the content of a member in pieces, never more
of it than they said before. A link or a device is not followed but refused.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from nbtrack.bundles.archive.directory import DEFLATED, Entry, read_directory
from nbtrack.bundles.archive.limits import (
    MAX_BYTES,
    MAX_MEMBERS,
    PIECE_BYTES,
)
from nbtrack.bundles.archive.names import checked_names
from nbtrack.bundles.archive.trouble import refuse, shown

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Place(Protocol):
    """What a bundle is read from."""

    sizes: dict[str, int]  # of every member, by name

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member; ValueError where it is another than it said."""

    def close(self) -> None:
        """Let go of the file."""


def open_place(path: Path) -> Place:
    """The zip file or folder at a path, its structure checked."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return _Zip(os.fdopen(handle, "rb"))
    os.close(handle)
    if not stat.S_ISDIR(mode):
        refuse(f"{shown(str(path))} is neither a file nor a folder")
    return _Folder(path)


class _Zip:
    """A zip file that stays open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        try:
            self._entries = {entry.name: entry for entry in read_directory(file)}
        except BaseException:
            file.close()
            raise
        self.sizes = {entry.name: entry.size_bytes for entry in self._entries.values()}

    def pieces(self, name: str) -> Iterator[bytes]:
        entry, crc, n_bytes = self._entries[name], 0, 0
        unpacked = self._inflated if entry.method == DEFLATED else self._packed
        for piece in unpacked(entry):
            crc, n_bytes = zlib.crc32(piece, crc), n_bytes + len(piece)
            if n_bytes > entry.size_bytes:
                raise ValueError("it is longer than it says")
            yield piece
        if n_bytes != entry.size_bytes or crc != entry.crc:
            raise ValueError("it is not what it says")

    def close(self) -> None:
        self._file.close()

    def _packed(self, entry: Entry) -> Iterator[bytes]:
        at, left = entry.data_at, entry.packed_bytes
        while left:
            self._file.seek(at)
            piece = self._file.read(min(left, PIECE_BYTES))
            if not piece:
                raise ValueError("the file ends before it")
            at, left = at + len(piece), left - len(piece)
            yield piece

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        for packed in self._packed(entry):
            if inflater.eof:
                raise ValueError("something lies behind its end")
            while packed:
                yield inflater.decompress(packed, PIECE_BYTES)
                packed = inflater.unconsumed_tail
        # What zlib still held back when its input was at its end.
        while not inflater.eof and (piece := inflater.decompress(b"", PIECE_BYTES)):
            yield piece
        if not inflater.eof or inflater.unused_data:
            raise ValueError("it is cut, or something lies behind its end")


class _Folder:
    """A bundle that was unpacked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sizes = dict(_walk(folder))
        checked_names(self.sizes)
        total = sum(self.sizes.values())
        if total > MAX_BYTES:
            refuse(f"It holds {total:,} bytes; at most {MAX_BYTES:,} may be")

    def pieces(self, name: str) -> Iterator[bytes]:
        left = self.sizes[name]
        handle = os.open(self._folder / name, _OPEN)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ValueError("it is no file any more")
            while piece := file.read(PIECE_BYTES):
                left -= len(piece)
                if left < 0:
                    raise ValueError("it grew meanwhile")
                yield piece
        if left:
            raise ValueError("it shrank meanwhile")

    def close(self) -> None:
        """Nothing is held open."""


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    n_found, waiting = 0, [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as found:
            for item in found:
                name = f"{inside}{item.name}"
                info = item.stat(follow_symlinks=False)
                n_found += 1
                if n_found > MAX_MEMBERS:
                    refuse(f"It has more than {MAX_MEMBERS:,} members")
                if stat.S_ISDIR(info.st_mode):
                    waiting.append(f"{name}/")
                elif stat.S_ISREG(info.st_mode):
                    yield name, info.st_size
                else:
                    refuse(f"Member {shown(name)} is a link or a device")
