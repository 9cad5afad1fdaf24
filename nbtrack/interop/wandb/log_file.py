"""W&B's log: records in blocks of 32 KiB, in LevelDB's manner, with CRC-32.

A record is one chunk, or a first, some middle and a last one. A chunk whose checksum is
wrong is passed over, and counted; of a file that is cut off comes what is whole.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

MAGIC = b":W&B\xe1\xbe"
RECORD_BYTES_MAX = 256 * 2**20  # of one record; W&B's own are a thousandth of it
_FILE_HEADER_BYTES = 7  # the magic and a version
_BLOCK_BYTES = 32 * 2**10
_CHUNK = struct.Struct("<IHB")  # checksum, length, kind
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SEEDS = {kind: zlib.crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}


def is_log(file: Path) -> bool:
    """Whether a file begins as such a log does."""
    try:
        with open(file, "rb") as opened:
            return opened.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


class LogFile:
    """One log. After its records were read, `n_damaged` and `is_cut` say more."""

    def __init__(self, file: Path) -> None:
        self.n_damaged = 0
        self.is_cut = False
        self._file = file
        self._parts: list[bytes] | None = None  # of a record whose end has not come
        self._n_bytes = 0

    def records(self) -> Iterator[bytes]:
        """The bodies of the records.

        Raises
        ------
        ValueError
            Where the file is no such log.
        OSError
            Where it cannot be read.
        """
        with open(self._file, "rb") as opened:
            block = opened.read(_BLOCK_BYTES)
            if block[: len(MAGIC)] != MAGIC:
                raise ValueError(f"{self._file.name!r} is no log of W&B")
            at = _FILE_HEADER_BYTES
            while block:
                for kind, body in self._chunks(block, at):
                    record = self._joined(kind, body)
                    if record is not None:
                        yield record
                block, at = opened.read(_BLOCK_BYTES), 0
        self.is_cut = self.is_cut or self._parts is not None

    def _chunks(self, block: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """The sound chunks of a block; its end holds none where 7 bytes are left."""
        is_last = len(block) < _BLOCK_BYTES
        is_sound = True
        while at + _CHUNK.size <= len(block):
            checksum, size, kind = _CHUNK.unpack_from(block, at)
            start, at = at + _CHUNK.size, at + _CHUNK.size + size
            body = block[start:at]
            if at > len(block) and is_last and is_sound:
                self.is_cut = True
                return
            if kind == size == checksum == 0:
                return  # room that was reserved
            if kind in _SEEDS and zlib.crc32(body, _SEEDS[kind]) == checksum:
                is_sound = True
                yield kind, body
            elif is_sound:  # what follows a wrong length is one and the same damage
                is_sound = False
                self.n_damaged += 1
        self.is_cut = self.is_cut or (is_last and is_sound and at < len(block))

    def _joined(self, kind: int, body: bytes) -> bytes | None:
        """The record that ends with this chunk, if one does."""
        if kind in (_FULL, _FIRST) and self._parts is not None:
            self.n_damaged += 1  # its end is lost
            self._parts = None
        if kind == _FULL:
            return body
        if kind == _FIRST:
            self._parts, self._n_bytes = [], 0
        if self._parts is None:
            return None  # its beginning is lost, and counted
        self._n_bytes += len(body)
        if self._n_bytes > RECORD_BYTES_MAX:
            self.n_damaged += 1
            self._parts = None
            return None
        self._parts.append(body)
        if kind != _LAST:
            return None
        record, self._parts = b"".join(self._parts), None
        return record
