"""Files of records as TensorFlow writes them: length, checksum, bytes, checksum.

A record whose checksum is wrong is passed over, and counted. Where a length is wrong,
the next sound one is looked for; of a file that is cut off comes what is whole.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from nbtrack.interop.tensorboard.crc32c import masked

RECORD_BYTES_MAX = 256 * 2**20  # a larger one is passed over
_HEADER = struct.Struct("<QI")  # length, its checksum
_CHECKSUM = struct.Struct("<I")
_BUFFER_BYTES = 2**20
_TRIES_MAX = 20_000  # lengths looked at behind damage; about 20 ms
_ZEROS = b"\0" * 4  # a length below 4 GB ends with them


class RecordFile:
    """One file. After its records were read, `n_damaged` and `is_cut` say more."""

    def __init__(self, file: Path) -> None:
        self.n_damaged = 0
        self.is_cut = False
        self._file = file
        self._tries = _TRIES_MAX

    def records(self) -> Iterator[tuple[int, bytes]]:
        """The places and bodies of the records.

        Raises
        ------
        OSError
            Where the file cannot be read.
        """
        size_bytes = os.path.getsize(self._file)
        with open(self._file, "rb", buffering=_BUFFER_BYTES) as opened:
            at = 0
            while at < size_bytes:
                length = self._length(opened, at)
                end = at + _HEADER.size + (length or 0) + _CHECKSUM.size
                if length is None:
                    at = self._resumed(opened, at + 1, size_bytes)
                elif end > size_bytes:
                    self.is_cut = True
                    return
                else:
                    body = self._body(opened, length)
                    if body is not None:
                        yield at, body
                    at = end

    def _length(self, opened: BinaryIO, at: int) -> int | None:
        """The length of the record at a place; None where it is none."""
        opened.seek(at)
        head = opened.read(_HEADER.size)
        if len(head) < _HEADER.size:
            self.is_cut = True
            return 0  # which ends beyond the file
        length, checksum = _HEADER.unpack(head)
        return int(length) if checksum == _masked_length(head[:8]) else None

    def _body(self, opened: BinaryIO, length: int) -> bytes | None:
        if length > RECORD_BYTES_MAX:
            self.n_damaged += 1
            return None
        body = opened.read(length)
        if _CHECKSUM.unpack(opened.read(_CHECKSUM.size))[0] == masked(body):
            return body
        self.n_damaged += 1
        return None

    def _resumed(self, opened: BinaryIO, at: int, size_bytes: int) -> int:
        """The place of the next record behind damage; the end where there is none."""
        self.n_damaged += 1
        opened.seek(at)
        window = b""
        while self._tries and (more := opened.read(_BUFFER_BYTES)):
            window += more
            found = self._sound_length(window)
            if found is not None:
                return at + found
            at += len(window) - _HEADER.size + 1
            window = window[-_HEADER.size + 1 :]
        return size_bytes

    def _sound_length(self, window: bytes) -> int | None:
        zeros = window.find(_ZEROS, 4)
        while zeros >= 0 and self._tries:
            self._tries -= 1
            head = window[zeros - 4 : zeros + 8]
            if len(head) == _HEADER.size:
                length, checksum = _HEADER.unpack(head)
                if length and checksum == _masked_length(head[:8]):
                    return zeros - 4
            zeros = window.find(_ZEROS, zeros + 1)
        return None


def record_at(file: Path, at: int) -> bytes:
    """The body of the record at a place that `records` told.

    Raises
    ------
    ValueError, OSError
        Where the file has changed, or cannot be read.
    """
    with open(file, "rb") as opened:
        opened.seek(at)
        length, _ = _HEADER.unpack(opened.read(_HEADER.size))
        body = opened.read(min(length, RECORD_BYTES_MAX))
    if len(body) != length:
        raise ValueError(f"{file.name!r} has changed while it was read")
    return body


def framed(body: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(body))
    checksums = _CHECKSUM.pack(_masked_length(length)), _CHECKSUM.pack(masked(body))
    return b"".join((length, checksums[0], body, checksums[1]))


@lru_cache(maxsize=4096)
def _masked_length(length: bytes) -> int:
    """Records of scalars have few different lengths."""
    return masked(length)
