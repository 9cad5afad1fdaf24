"""Files of records as TensorFlow writes them: length, checksum, bytes, checksum.

A record whose checksum is wrong is passed over, and counted. Where a length is wrong,
the next sound one is looked for; of a file that is cut off comes what is whole.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from nbtrack.interop.tensorboard.crc32c import masked, masked_each

RECORD_BYTES_MAX = 256 * 2**20  # a larger one is passed over
_HEADER = struct.Struct("<QI")  # length, its checksum
_CHECKSUM = struct.Struct("<I")
_BUFFER_BYTES = 2**20
_FIRST_BYTES = 2**12  # some want only the first records
_TRIES_MAX = 20_000  # lengths looked at behind damage; about 20 ms
_Batch = list[tuple[int, bytes, bytes]]  # place, body, checksum
_ZEROS = b"\0" * 4  # a length below 4 GB ends with them


class RecordFile:
    """One file. After its records were read, `n_damaged` and `is_cut` say more."""

    def __init__(self, file: Path) -> None:
        self.n_damaged = 0
        self.is_cut = False
        self._file = file
        self._tries = _TRIES_MAX
        self._batch_bytes = _FIRST_BYTES

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
                batch, at = self._batch(opened, at, size_bytes)
                sums = masked_each([body for _, body, _ in batch])
                for (place, body, checksum), right in zip(batch, sums, strict=True):
                    if checksum == _CHECKSUM.pack(right):
                        yield place, body
                    else:
                        self.n_damaged += 1

    def _batch(self, opened: BinaryIO, at: int, size_bytes: int) -> tuple[_Batch, int]:
        """Records that are checked together, and the place behind them."""
        batch: _Batch = []
        end = min(at + self._batch_bytes, size_bytes)
        self._batch_bytes = min(2 * self._batch_bytes, _BUFFER_BYTES)
        while at < end:
            head = opened.read(_HEADER.size)
            length = _length_of(head)
            after = at + _HEADER.size + (length or 0) + _CHECKSUM.size
            if len(head) < _HEADER.size or after > size_bytes:
                self.is_cut = True
                return batch, size_bytes
            if length is None:
                after = self._resumed(opened, at + 1, size_bytes)
                opened.seek(after)
            elif length > RECORD_BYTES_MAX:
                self.n_damaged += 1
                opened.seek(after)
            else:
                body = opened.read(length)
                batch.append((at, body, opened.read(_CHECKSUM.size)))
            at = after
        return batch, at

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
            if _length_of(head):
                return zeros - 4
            zeros = window.find(_ZEROS, zeros + 1)
        return None


def _length_of(head: bytes) -> int | None:
    """The length that the head of a record says; None where it is none."""
    if len(head) < _HEADER.size:
        return None
    length, checksum = _HEADER.unpack(head)
    return int(length) if checksum == _masked_length(head[:8]) else None


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


def framed(bodies: Sequence[bytes]) -> bytes:
    """Records as they stand in a file."""
    parts = []
    for body, checksum in zip(bodies, masked_each(bodies), strict=True):
        length = struct.pack("<Q", len(body))
        parts += [length, _CHECKSUM.pack(_masked_length(length))]
        parts += [body, _CHECKSUM.pack(checksum)]
    return b"".join(parts)


@lru_cache(maxsize=4096)
def _masked_length(length: bytes) -> int:
    """Records of scalars have few different lengths."""
    return masked(length)
