"""Where a file is cut into chunks, so that files that share parts share chunks.

A zip (what torch and numpy save) is cut where a large member begins, a safetensors file
where a large tensor begins, all else every 1 MiB: a list that grows at the front of a
checkpoint then moves the weights without changing their chunks. Which of these a file
is, its bytes say, not its name. Wherever the cuts are, the chunks in a row are the
file: one that lies about itself shares less, and nothing else happens to it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

CHUNK_BYTES = 1 << 20
LARGE_BYTES = 32 << 10  # a part of this size is a chunk of its own; also the least tail
RUN_BYTES = 64 << 10  # small parts are joined to this at least
LONGEST_CHUNK_BYTES = 2 << 20  # a chunk with the tail that joined it, and room
_MEMBERS_MAX = 200_000
_DIRECTORY_MAX_BYTES = 64 << 20
_HEADER_MAX_BYTES = 16 << 20
_END_MAX_BYTES = 22 + 0xFFFF  # of a zip: the record at its end and the comment after it

_ZIP_END = struct.Struct("<4s4H2LH")
_ZIP_ENTRY = struct.Struct("<4s6H3L5H2L")
_ZIP_LOCAL = struct.Struct("<4s5H3L2H")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")

Read = Callable[[int, int], bytes]  # how many bytes, from where


class _Malformed(Exception):
    """The file is not what its first bytes say."""


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a zip or a tensor: from `head` on it is described, then stored."""

    head: int
    start: int
    end: int
    mark: int  # of its name: says where a run of small parts ends

    @property
    def is_large(self) -> bool:
        """Whether it is worth a chunk of its own."""
        return self.end - self.start >= LARGE_BYTES


def lengths_of(handle: int, size: int) -> list[int]:
    """The lengths of the chunks of an open file, in order; their sum is `size`.

    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     lengths_of(file.fileno(), 2_500_000)
    [1048576, 1048576, 402848]
    """
    return cut(lambda n, start: os.pread(handle, n, start), size)


def cut(read: Read, size: int) -> list[int]:
    """The same for whatever can be read in places."""
    cuts: Iterable[int] = ()
    if size > CHUNK_BYTES:
        try:
            cuts = _borders(_parts(read, size))
        except (_Malformed, struct.error, ValueError, RecursionError):
            cuts = ()
    borders = [0, *sorted({at for at in cuts if 0 < at < size}), size]
    return [
        length
        for start, end in pairwise(borders)
        for length in _pieces(end - start)
    ]  # fmt: skip


def _pieces(length: int) -> list[int]:
    """Every 1 MiB; a tail too short for a chunk of its own joins the last."""
    n, rest = divmod(length, CHUNK_BYTES)
    pieces = [CHUNK_BYTES] * n
    if pieces and rest < LARGE_BYTES:
        pieces[-1] += rest
    elif rest:
        pieces.append(rest)
    return pieces


def _parts(read: Read, size: int) -> list[Part]:
    start = read(9, 0)
    if start[:4] == b"PK\x03\x04":
        return _members(read, size)
    if start[8:9] == b"{":
        return _tensors(read, size, int.from_bytes(start[:8], "little"))
    return []


def _borders(parts: list[Part]) -> Iterable[int]:
    """Where chunks begin and end: around large parts, and within runs of small ones.

    What stands between large parts is a chunk too, of some 80 bytes: in each member's
    head torch writes the name of the file that is saved, so it is another every time.
    A run of small parts ends after names that a hash picks, not after so many bytes:
    a part that grew moves no border but its own.
    """
    run = 0
    for part in parts:
        if part.is_large:
            yield part.start
            yield part.end
            run = 0
            continue
        run += part.end - part.head
        if (run >= RUN_BYTES and part.mark % 4 == 0) or run >= CHUNK_BYTES:
            yield part.end
            run = 0


def _checked(parts: list[Part], size: int) -> list[Part]:
    """The parts in their order in the file, each within it and after the one before."""
    parts.sort(key=lambda part: part.head)
    at = 0
    for part in parts:
        if not at <= part.head <= part.start <= part.end <= size:
            raise _Malformed
        at = part.end
    return parts


def _members(read: Read, size: int) -> list[Part]:
    n, directory, start = _zip_directory(read, size)
    if n > _MEMBERS_MAX or directory > _DIRECTORY_MAX_BYTES or start + directory > size:
        raise _Malformed
    body, at, parts = read(directory, start), 0, []
    for _ in range(n):
        part, at = _member(read, body, at)
        parts.append(part)
    return _checked(parts, size)


def _zip_directory(read: Read, size: int) -> tuple[int, int, int]:
    """How many members a zip has, how long its directory is, where it begins."""
    first = max(0, size - _END_MAX_BYTES)
    tail = read(size - first, first)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise _Malformed
    _, _, _, _, n, length, start, _ = _ZIP_END.unpack_from(tail, at)
    locator = at - _ZIP64_LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        _, _, end, _ = _ZIP64_LOCATOR.unpack_from(tail, locator)
        record = _ZIP64_END.unpack(read(_ZIP64_END.size, min(end, size)))
        if record[0] != b"PK\x06\x06":
            raise _Malformed
        n, length, start = record[7:10]
    return n, length, start


def _member(read: Read, body: bytes, at: int) -> tuple[Part, int]:
    """The member whose entry begins at `at` in the directory, and the next entry."""
    entry = _ZIP_ENTRY.unpack_from(body, at)
    signature, packed, unpacked, head = entry[0], entry[8], entry[9], entry[16]
    if signature != b"PK\x01\x02":
        raise _Malformed
    n_name, n_extra, n_comment = entry[10:13]
    extra_at = at + _ZIP_ENTRY.size + n_name
    name, extra = body[extra_at - n_name : extra_at], body[extra_at:][:n_extra]
    if 0xFFFFFFFF in (packed, unpacked, head):
        packed, head = _zip64_sizes(extra, packed, unpacked, head)
    start = _data_start(read, head, n_name, packed)
    part = Part(head, start, start + packed, zlib.crc32(name))
    return part, extra_at + n_extra + n_comment


def _zip64_sizes(
    extra: bytes, packed: int, unpacked: int, head: int
) -> tuple[int, int]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            fields = list(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            if unpacked == 0xFFFFFFFF:
                fields.pop(0)
            packed = fields.pop(0) if packed == 0xFFFFFFFF else packed
            return packed, fields.pop(0) if head == 0xFFFFFFFF else head
        at += 4 + length
    raise _Malformed


def _data_start(read: Read, head: int, n_name: int, packed: int) -> int:
    """Where a member's bytes begin; guessed for a small one: no cut falls there."""
    if packed < LARGE_BYTES:
        return head + _ZIP_LOCAL.size + n_name
    local = _ZIP_LOCAL.unpack(read(_ZIP_LOCAL.size, head))
    if local[0] != b"PK\x03\x04":
        raise _Malformed
    return head + _ZIP_LOCAL.size + int(local[9]) + int(local[10])


def _tensors(read: Read, size: int, n_header: int) -> list[Part]:
    if n_header > min(_HEADER_MAX_BYTES, size - 8):
        raise _Malformed
    header = json.loads(read(n_header, 8))
    data = 8 + n_header
    parts = [Part(0, 0, data, 0)] if n_header < LARGE_BYTES else []
    for name, tensor in header.items():
        if name != "__metadata__":
            start, end = _offsets(tensor)
            mark = zlib.crc32(name.encode("utf-8", "surrogatepass"))
            parts.append(Part(data + start, data + start, data + end, mark))
    return _checked(parts, size)


def _offsets(tensor: object) -> tuple[int, int]:
    match tensor:
        case {"data_offsets": [int(start), int(end)]} if 0 <= start <= end:
            return start, end
    raise _Malformed
