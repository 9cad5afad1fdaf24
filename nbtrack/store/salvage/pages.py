"""The pages of a database file, whatever they hold, and those of its write-ahead log.

As https://sqlite.org/fileformat2.html has it. Nothing here trusts what it reads: each
length and number is looked at before it is used.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from mmap import mmap

MAGIC = b"SQLite format 3\0"
PAGE_BYTES = 4096  # SQLite's own choice, where the header is gone
WAL_MAGICS = {0x377F0682: "<", 0x377F0683: ">"}
_WAL_HEADER, _FRAME_HEADER = 32, 24
ROOT, NODE = 1, 5  # kinds of pages, as the map of parents has them


class DamageError(ValueError):
    """A page that is not what it should be."""


@dataclass(frozen=True)
class Pages:
    """The pages of a file by their numbers, from 1; newer ones of the log before it."""

    body: bytes | mmap
    newer: Mapping[int, bytes] = field(default_factory=dict)

    @cached_property
    def has_header(self) -> bool:
        """Whether the file begins as one of SQLite's does."""
        return self._first[:16] == MAGIC and _is_size(self._told_size)

    @cached_property
    def size(self) -> int:
        """Bytes of a page."""
        return self._told_size if self.has_header else PAGE_BYTES

    @cached_property
    def usable(self) -> int:
        """Bytes of a page that hold something."""
        return self.size - (self._first[20] if self.has_header else 0)

    @cached_property
    def count(self) -> int:
        """How many pages there are; half a page at the end counts."""
        in_file = -(-len(self.body) // self.size)
        return max([in_file, *self.newer])

    @cached_property
    def version(self) -> int:
        """The store's version, 0 where the header is gone."""
        if not self.has_header:
            return 0
        return int.from_bytes(self._first[60:64], "big")

    def page(self, number: int) -> bytes:
        """One page; DamageError where the file has none, or not all of it."""
        if number in self.newer:
            return self.newer[number]
        start = (number - 1) * self.size
        found = self.body[start : start + self.size] if number > 0 else b""
        if len(found) < self.size:
            raise DamageError(f"page {number} is not in the file")
        return found

    def parent(self, number: int) -> tuple[int, int]:
        """What the map of parents says of a page: its kind, and what points to it."""
        per_map = self.usable // 5
        nth = (number - 2) // (per_map + 1)
        place = 2 + nth * (per_map + 1)
        if number < 3 or place == number:
            raise DamageError(f"page {number} has no parent")
        at = 5 * (number - place - 1)
        entry = self.page(place)[at : at + 5]
        return entry[0], int.from_bytes(entry[1:], "big")

    @property
    def _first(self) -> bytes:
        return self.newer.get(1, self.body[:100]).ljust(100, b"\0")

    @property
    def _told_size(self) -> int:
        told = int.from_bytes(self._first[16:18], "big")
        return 65536 if told == 1 else told


def read_log(log: bytes, page_bytes: int) -> dict[int, bytes]:
    """The pages of a write-ahead log up to its last whole commit, by number.

    None of a log that is cut in its header, or has pages of another size.
    """
    if len(log) < _WAL_HEADER:
        return {}
    magic, _, size, _ = struct.unpack(">4I", log[:16])
    order = WAL_MAGICS.get(magic)
    if order is None or size != page_bytes:
        return {}
    sums = _checksum(log[:24], (0, 0), order)
    if sums != struct.unpack(">2I", log[24:32]):
        return {}
    salts, found, committed = log[16:24], dict[int, bytes](), dict[int, bytes]()
    for at in range(_WAL_HEADER, len(log) - size - _FRAME_HEADER + 1, size + 24):
        head, page = log[at : at + 24], log[at + 24 : at + 24 + size]
        sums = _checksum(page, _checksum(head[:8], sums, order), order)
        if head[8:16] != salts or sums != struct.unpack(">2I", head[16:24]):
            break
        number, n_pages = struct.unpack(">2I", head[:8])
        found[number] = page
        if n_pages:  # the last of a commit
            committed |= found
            found = {}
    return committed


def _checksum(content: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for nth in range(0, len(words), 2):
        first = (first + words[nth] + second) & 0xFFFFFFFF
        second = (second + words[nth + 1] + first) & 0xFFFFFFFF
    return first, second


def _is_size(told: int) -> bool:
    return 512 <= told <= 65536 and told & (told - 1) == 0
