"""The directory of a zip file, read strictly: what it says twice it says the same.

The members lie one behind the other from the first byte on, the directory behind them,
its end at the end of the file: no byte belongs to two members or to none. Links,
devices, encryption, more than one disk, extra fields, comments and zip64 are refused.
Python's `zipfile` lets most of that through, cuts names at a NUL, and of two members of
one name gives the later. Nothing is unpacked here.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from nbtrack.bundles.archive.limits import (
    MAX_BYTES,
    MAX_LIST_BYTES,
    MAX_MEMBERS,
    MAX_RATIO,
)
from nbtrack.bundles.archive.names import checked_names
from nbtrack.bundles.archive.trouble import refuse, shown

STORED, DEFLATED = 0, 8
UTF8 = 0x800  # the flag of a name that is no ASCII
UNIX = 3
DATE = 0x0021  # 1980-01-01
MODE = (stat.S_IFREG | 0o644) << 16

LOCAL = Struct("<4s5H3L2H")
CENTRAL = Struct("<4s6H3L5H2L")
END = Struct("<4s4H2LH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
VERSION = 20  # of the zip format, which deflate needs


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as the directory has it."""

    name: str
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    header_at: int
    flags: int

    @property
    def data_at(self) -> int:
        """Where its bytes begin: no extra field is allowed before them."""
        return self.header_at + LOCAL.size + len(self.name.encode())


def read_directory(file: BinaryIO) -> tuple[Entry, ...]:
    """All members of a zip file, by their place in it.

    Raises
    ------
    BundleError
        Where the file is no zip, or one of the kinds that are refused.
    """
    n_entries, directory_bytes, directory_at = _read_end(file)
    file.seek(directory_at)
    raw = file.read(directory_bytes)
    entries = _parse(raw, n_entries)
    checked_names([entry.name for entry in entries])
    _check_sizes(entries)
    entries.sort(key=lambda entry: entry.header_at)
    _check_places(entries, directory_at)
    for entry in entries:
        _check_local(file, entry)
    return tuple(entries)


def _read_end(file: BinaryIO) -> tuple[int, int, int]:
    n_bytes = file.seek(0, 2)
    if n_bytes < END.size:
        refuse("The file is too short for a bundle")
    file.seek(n_bytes - END.size)
    mark, disk, first, here, n_entries, size, at, comment = END.unpack(
        file.read(END.size)
    )
    if mark != END_MARK:
        refuse("The file does not end as a bundle does: it was cut, or is no zip file")
    if disk or first or here != n_entries or comment:
        refuse("The file is a part of several, or has a comment")
    if not 0 < n_entries <= MAX_MEMBERS:
        refuse(f"It has {n_entries} members; at least 1 and at most {MAX_MEMBERS:,}")
    if at + size + END.size != n_bytes or size > MAX_LIST_BYTES:
        refuse("The directory of the file does not lie where it says")
    return n_entries, size, at


def _parse(raw: bytes, n_entries: int) -> list[Entry]:
    entries, at = [], 0
    for _ in range(n_entries):
        entry, at = _parse_one(raw, at)
        entries.append(entry)
    if at != len(raw):
        refuse("The directory of the file has more in it than its members")
    return entries


def _parse_one(raw: bytes, at: int) -> tuple[Entry, int]:
    (
        mark, made_by, needs, flags, method, _time, _date, crc, packed, size,
        n_name, n_extra, n_comment, disk, _internal, external, header_at,
    ) = CENTRAL.unpack_from(raw, at)  # fmt: skip
    start = at + CENTRAL.size
    if mark != CENTRAL_MARK or start + n_name > len(raw):
        refuse("The directory of the file is damaged")
    name = _name(raw[start : start + n_name], flags)
    if n_extra or n_comment or disk:
        refuse(f"Member {shown(name)} has an extra field, a comment or another disk")
    if flags & ~UTF8 or needs > VERSION:
        refuse(f"Member {shown(name)} is encrypted, or packed in a way not allowed")
    if method not in (STORED, DEFLATED):
        refuse(f"Member {shown(name)} is neither stored nor deflated")
    _check_kind(name, made_by >> 8, external)
    return Entry(name, method, crc, packed, size, header_at, flags), start + n_name


def _name(raw: bytes, flags: int) -> str:
    return raw.decode("utf-8" if flags & UTF8 else "ascii")


def _check_kind(name: str, system: int, external: int) -> None:
    """A plain file, whoever made it; the folder bit of MS-DOS counts too."""
    kind = stat.S_IFMT(external >> 16) if system == UNIX else 0
    if kind not in (0, stat.S_IFREG) or external & 0x10:
        refuse(f"Member {shown(name)} is a link, a device or a folder")
    if system not in (0, UNIX):
        refuse(f"Member {shown(name)} comes from a system that is not known")


def _check_sizes(entries: list[Entry]) -> None:
    for entry in entries:
        if entry.method == STORED and entry.packed_bytes != entry.size_bytes:
            refuse(f"Member {shown(entry.name)} is stored, and has two sizes")
        if entry.size_bytes > MAX_RATIO * entry.packed_bytes:
            refuse(
                f"Member {shown(entry.name)} would unpack to {entry.size_bytes:,} "
                f"bytes, more than {MAX_RATIO} times what is there"
            )
    total = sum(entry.size_bytes for entry in entries)
    packed = sum(entry.packed_bytes for entry in entries)
    if total > MAX_BYTES or total > MAX_RATIO * packed:
        refuse(f"It would unpack to {total:,} bytes; at most {MAX_BYTES:,} may be")


def _check_places(entries: list[Entry], directory_at: int) -> None:
    at = 0
    for entry in entries:
        if entry.header_at != at:
            refuse(f"Member {shown(entry.name)} overlaps another, or leaves a gap")
        at = entry.data_at + entry.packed_bytes
    if at != directory_at:
        refuse("Between the members and the directory of the file is something else")


def _check_local(file: BinaryIO, entry: Entry) -> None:
    """The header before the bytes says what the directory says."""
    name = entry.name.encode()
    file.seek(entry.header_at)
    raw = file.read(LOCAL.size + len(name))
    mark, needs, flags, method, _time, _date, crc, packed, size, n_name, n_extra = (
        LOCAL.unpack_from(raw)
    )
    told = (flags, method, crc, packed, size, n_name, raw[LOCAL.size :])
    expected = (
        entry.flags, entry.method, entry.crc, entry.packed_bytes, entry.size_bytes,
        len(name), name,
    )  # fmt: skip
    is_same = told == expected and mark == LOCAL_MARK
    if not is_same or n_extra or needs > VERSION:
        refuse(f"Member {shown(entry.name)} is another in its place than in the list")
