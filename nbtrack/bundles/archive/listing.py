r"""MANIFEST.sha256: what a bundle holds, a line for each member but itself.

    "<sha256 in hex>  <size>  <path>\n", sorted by path

Its own sha256 is the id of the bundle. It is read as strictly as it is written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nbtrack.bundles.archive.limits import MAX_BYTES
from nbtrack.bundles.archive.names import checked_names
from nbtrack.bundles.archive.trouble import refuse, shown

LISTING = "MANIFEST.sha256"
_LINE = re.compile(r"([0-9a-f]{64})  (0|[1-9][0-9]{0,11})  (.+)")


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list says of a member."""

    name: str
    sha256: str
    size_bytes: int


def listing_of(members: Iterable[Listed]) -> bytes:
    r"""The text of the list.

    >>> listing_of([Listed("a", "0" * 64, 3)]).decode()[60:]
    '0000  3  a\n'
    """
    lines = sorted(members, key=lambda member: member.name)
    return "".join(f"{m.sha256}  {m.size_bytes}  {m.name}\n" for m in lines).encode()


def read_listing(content: bytes) -> Mapping[str, Listed]:
    """What the list says, by name.

    Raises
    ------
    BundleError
        For a line that is none, names that are not allowed, or another order.
    """
    text = content.decode("utf-8")
    if text and not text.endswith("\n"):
        refuse(f"{LISTING} does not end with a whole line")
    found = [_read_line(line) for line in text.split("\n")[:-1]]
    names = [member.name for member in found]
    if names != sorted(names):
        refuse(f"{LISTING} is not sorted")
    checked_names([LISTING, *names])
    if sum(member.size_bytes for member in found) > MAX_BYTES:
        refuse(f"{LISTING} tells of more than {MAX_BYTES:,} bytes")
    return {member.name: member for member in found}


def bundle_id_of(listing: bytes) -> str:
    """The id of the bundle with this list."""
    return hashlib.sha256(listing).hexdigest()


def _read_line(line: str) -> Listed:
    found = _LINE.fullmatch(line)
    if found is None:
        refuse(f"{LISTING} has a line that is none: {shown(line)}")
    return Listed(found[3], found[1], int(found[2]))
