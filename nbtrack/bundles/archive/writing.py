"""Writes a bundle: the same members give the same bytes, whoever writes them and when.

Sorted by name, dated 1980, no extra fields, no comment. It is written beside its place,
synced and renamed: whatever happens, no half file stays. A member that deflate makes
smaller by more than a reader believes (zeros, say) is stored as it is.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from nbtrack.bundles.archive.directory import (
    CENTRAL,
    CENTRAL_MARK,
    DATE,
    DEFLATED,
    END,
    END_MARK,
    LOCAL,
    LOCAL_MARK,
    MODE,
    STORED,
    UNIX,
    UTF8,
    VERSION,
    Entry,
)
from nbtrack.bundles.archive.limits import (
    MAX_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_MEMBERS,
    MAX_RATIO,
    MIB,
    PIECE_BYTES,
)
from nbtrack.bundles.archive.listing import (
    LISTING,
    Listed,
    bundle_id_of,
    listing_of,
)
from nbtrack.bundles.archive.manifest import MANIFEST
from nbtrack.bundles.archive.names import checked_names
from nbtrack.bundles.archive.trouble import only_bundle_errors, shown
from nbtrack.errors import BundleError
from nbtrack.store.asides import Aside, aside
from nbtrack.text import shown_bytes

SAID_BYTES = 64 * MIB  # from here on writing a member takes a while
_LEVEL = 9
Member = bytes | Path


def write_bundle(
    target: Path | str,
    members: Mapping[str, Member],
    *,
    tell: Callable[[str], None] = lambda text: None,
) -> str:
    """Write a bundle with these members and the list of them; its id.

    Parameters
    ----------
    target
        The file; one that is there is replaced once the new one is whole.
    members
        Name to content, or to the file that holds it: a file is read in pieces, twice.
    tell
        Hears of members that take a while.

    Raises
    ------
    BundleError
        For names or sizes that no reader would take, a file that cannot be read or
        changes meanwhile, or a target that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> once = write_bundle(folder / "a.nbt.zip", {"README.md": b"Hello"})
    >>> again = write_bundle(folder / "b.nbt.zip", {"README.md": b"Hello"})
    >>> (folder / "a.nbt.zip").read_bytes() == (folder / "b.nbt.zip").read_bytes()
    True
    """
    target = Path(target)
    with only_bundle_errors(f"Writing {shown(str(target))}"):
        listed = _listed(members)
        listing = listing_of(listed.values())
        with aside(target.parent) as partial:
            _write_zip(partial, {**members, LISTING: listing}, listed, tell)
            partial.settle(target, mode=None)
    return bundle_id_of(listing)


def _listed(members: Mapping[str, Member]) -> dict[str, Listed]:
    checked_names([LISTING, *members])
    if len(members) >= MAX_MEMBERS:
        raise BundleError(
            f"A bundle holds at most {MAX_MEMBERS - 1:,} members, not "
            f"{len(members):,}: leave data out of it, or pack it into one file."
        )
    found = {name: _look_at(name, member) for name, member in members.items()}
    n_bytes = sum(member.size_bytes for member in found.values())
    if n_bytes > MAX_BYTES - MIB:
        raise BundleError(
            f"A bundle holds at most {shown_bytes(MAX_BYTES)}, not "
            f"{shown_bytes(n_bytes)}: refer to large data instead of embedding it."
        )
    if MANIFEST in found and found[MANIFEST].size_bytes > MAX_MANIFEST_BYTES:
        raise BundleError(
            f"{MANIFEST} has more than {MAX_MANIFEST_BYTES:,} bytes: shorten the run's "
            "notes, params and source."
        )
    return found


def _look_at(name: str, member: Member) -> Listed:
    digest, n_bytes = hashlib.sha256(), 0
    for piece in _pieces(member):
        digest.update(piece)
        n_bytes += len(piece)
        if n_bytes > MAX_BYTES:
            raise BundleError(f"{shown(name)} is longer than a bundle may be.")
    return Listed(name, digest.hexdigest(), n_bytes)


def _pieces(member: Member) -> Iterator[bytes]:
    if not isinstance(member, Path):
        for at in range(0, len(member), PIECE_BYTES):
            yield member[at : at + PIECE_BYTES]
        return
    with member.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _write_zip(
    partial: Aside,
    members: Mapping[str, Member],
    listed: Mapping[str, Listed],
    tell: Callable[[str], None],
) -> None:
    entries = []
    for name in sorted(members):
        about = listed.get(name)
        if about is not None and about.size_bytes >= SAID_BYTES:
            tell(f"writing {shown(name)}, {shown_bytes(about.size_bytes)}")
        digest = None if about is None else about.sha256
        entries.append(_write_member(partial, name, members[name], digest))
    directory = b"".join(map(_central, entries))
    at, n = partial.file.tell(), len(entries)
    partial.write(directory)
    partial.write(END.pack(END_MARK, 0, 0, n, n, len(directory), at, 0))


def _write_member(
    partial: Aside, name: str, member: Member, digest: str | None
) -> Entry:
    """Deflated, or stored where that is as small or no reader would believe it."""
    start = partial.file.tell()
    entry, found = _put(partial, name, member, method=DEFLATED)
    is_unlikely = entry.packed_bytes * MAX_RATIO < entry.size_bytes
    if is_unlikely or entry.packed_bytes >= entry.size_bytes:
        partial.file.seek(start)
        partial.file.truncate()
        entry, found = _put(partial, name, member, method=STORED)
    if digest is not None and found != digest:
        raise BundleError(f"{shown(name)} changed while it was written: try again.")
    return entry


def _put(
    partial: Aside, name: str, member: Member, *, method: int
) -> tuple[Entry, str]:
    """Write a member behind what is there; its entry, and the sha256 of its content."""
    start = partial.file.tell()
    flags = 0 if name.isascii() else UTF8
    empty = Entry(name, method, 0, 0, 0, start, flags)
    partial.write(_local(empty))
    packer = _packer(method)
    digest, crc, n_bytes = hashlib.sha256(), 0, 0
    for piece in _pieces(member):
        digest.update(piece)
        crc, n_bytes = zlib.crc32(piece, crc), n_bytes + len(piece)
        partial.write(packer.compress(piece) if packer else piece)
    if packer:
        partial.write(packer.flush())
    end = partial.file.tell()
    packed = end - empty.data_at
    entry = replace(empty, crc=crc, packed_bytes=packed, size_bytes=n_bytes)
    partial.file.seek(start)
    partial.write(_local(entry))
    partial.file.seek(end)
    return entry, digest.hexdigest()


def _packer(method: int) -> zlib._Compress | None:
    if method == STORED:
        return None
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)


def _local(entry: Entry) -> bytes:
    name = entry.name.encode()
    head = LOCAL.pack(
        LOCAL_MARK, VERSION, entry.flags, entry.method, 0, DATE, entry.crc,
        entry.packed_bytes, entry.size_bytes, len(name), 0,
    )  # fmt: skip
    return head + name


def _central(entry: Entry) -> bytes:
    name = entry.name.encode()
    head = CENTRAL.pack(
        CENTRAL_MARK, UNIX << 8 | VERSION, VERSION, entry.flags, entry.method, 0, DATE,
        entry.crc, entry.packed_bytes, entry.size_bytes, len(name), 0, 0, 0, 0, MODE,
        entry.header_at,
    )  # fmt: skip
    return head + name
