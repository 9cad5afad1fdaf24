"""Whether the data of a bundle's run is there: in the bundle, here, or to be fetched.

A file that the bundle only refers to is looked for where its cell had it, from the
folder one is in; only a plain file of the size that it had is read at all, and nothing
is fetched.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Mapping
from typing import Any

from nbtrack.bundles.archive.fields import Fields, as_fields
from nbtrack.bundles.archive.limits import MAX_MEMBERS, PIECE_BYTES
from nbtrack.bundles.archive.trouble import refuse

INPUTS = "data/inputs.json"
_POLICIES = frozenset({"embed", "ref", "private"})
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_MAX_PATH = 4_096  # characters


def data_state(
    inputs: Mapping[str, Any], *, sound: Mapping[str, str], tampered: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """The path of each file of `data/inputs.json` and its state, in words.

    PRESENT, FETCHABLE (by its address), PRIVATE, CHANGED or MISSING.

    Parameters
    ----------
    sound
        The members that are as the list says: name to sha256.
    tampered
        Names of those that were changed.

    Raises
    ------
    BundleError
        For fields of another type, or more files than a bundle may have members.
    """
    found = as_fields(inputs, INPUTS)
    if len(found.items("files")) > MAX_MEMBERS:
        refuse(f"{INPUTS} has more than {MAX_MEMBERS:,} files")
    return tuple(
        (row.text("path", limit=_MAX_PATH), _state(row, sound, tampered))
        for row in found.rows("files")
    )


def _state(row: Fields, sound: Mapping[str, str], tampered: Collection[str]) -> str:
    policy = row.word("policy", _POLICIES)
    if policy == "private":
        return "PRIVATE"
    if policy == "embed":
        return _embedded(row, sound, tampered)
    here = _looked_at(row)
    is_elsewhere = here == "MISSING" and row.text_or_none("url", limit=_MAX_PATH)
    return "FETCHABLE" if is_elsewhere else here


def _embedded(row: Fields, sound: Mapping[str, str], tampered: Collection[str]) -> str:
    member = row.text_or_none("member", limit=_MAX_PATH)
    if member is None:  # a folder: its files have rows of their own
        return "PRESENT" if row.value.get("role") == "folder" else "MISSING"
    if member in sound:
        had = row.text_or_none("sha256", limit=64)
        return "PRESENT" if had in (None, sound[member]) else "CHANGED"
    return "CHANGED" if member in tampered else "MISSING"


def _looked_at(row: Fields) -> str:
    """Of a file that the bundle only refers to."""
    path, had = row.text("path", limit=_MAX_PATH), row.text_or_none("sha256", limit=64)
    try:
        if row.value.get("role") == "folder" and had is None:
            return "PRESENT" if os.path.isdir(path) else "MISSING"
        return _compared(path, had, row.whole_or_none("size_bytes"))
    except (OSError, ValueError):  # gone, not to be read, or a name with a NUL
        return "MISSING"


def _compared(path: str, had: str | None, size_bytes: int | None) -> str:
    with os.fdopen(os.open(path, _OPEN), "rb") as file:
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            return "MISSING"
        if size_bytes is not None and info.st_size != size_bytes:
            return "CHANGED"
        digest = hashlib.sha256()
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
    return "PRESENT" if digest.hexdigest() == had else "CHANGED"
