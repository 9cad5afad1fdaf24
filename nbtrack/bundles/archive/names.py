"""Which names a member of a bundle may have: those that mean one place anywhere.

Relative, with "/" between its parts, no way out of the folder, the same file on every
system: what one of them would change, cut or confuse is refused. It never repairs one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from nbtrack.bundles.archive.limits import MAX_NAME_BYTES, MAX_PART_BYTES
from nbtrack.bundles.archive.trouble import refuse, shown
from nbtrack.text import visible

_DRIVE = re.compile(r"[A-Za-z]:")
_MAX_PARTS = 32


def why_bad(name: str) -> str | None:
    """Why a member may not be called that; None where it may.

    >>> why_bad("data/files/a.csv"), why_bad("../a.csv")
    (None, "it has a part '..'")
    """
    if not name:
        return "it is empty"
    if name != visible(name) or any(_is_break(c) for c in name):
        return "it has a control character"
    if "\\" in name:
        return "it has a backslash"
    parts = name.split("/")
    if len(name.encode()) > MAX_NAME_BYTES or len(parts) > _MAX_PARTS:
        return "it is too long"
    return next((why for why in map(_why_bad_part, parts) if why), None)


def checked_names(names: Iterable[str]) -> None:
    """Refuse names that are not allowed, alone or beside one another.

    Raises
    ------
    BundleError
        For a bad name, two that are one file on some system, or a file that is also
        the folder of another.
    """
    known: dict[str, str] = {}
    for name in names:
        why = why_bad(name)
        if why is not None:
            refuse(f"The name {shown(name)} of a member is not allowed: {why}")
        other = known.setdefault(_folded(name), name)
        if other is not name:
            refuse(f"The members {shown(other)} and {shown(name)} are one file")
    for key, name in known.items():
        folder = _folder_among(known, key)
        if folder is not None:
            refuse(f"The member {shown(folder)} is also the folder of {shown(name)}")


def _folder_among(known: dict[str, str], key: str) -> str | None:
    place = key.rfind("/")
    while place > 0:
        if key[:place] in known:
            return known[key[:place]]
        place = key.rfind("/", 0, place)
    return None


def _why_bad_part(part: str) -> str | None:
    if part in ("", ".", ".."):
        return f"it has a part {part!r}"
    if part[-1] in ". ":
        return "a part of it ends with a dot or a space"
    if _DRIVE.match(part):
        return "it names a drive"
    if len(part.encode()) > MAX_PART_BYTES:
        return "a part of it is too long"
    return None


def _is_break(char: str) -> bool:
    return unicodedata.category(char) in {"Zl", "Zp"}


def _folded(name: str) -> str:
    """The same for names that some file system takes for one."""
    folded = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", folded)
