"""One digest for what a distribution installed, the same for every equal install.

It is made of RECORD, which names each file with its hash, and not of the files: what
was edited afterwards is not seen. Left out is what differs from install to install:
compiled modules, scripts (they name their interpreter), and notes of the installer.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from importlib import metadata
from pathlib import PurePosixPath

from nbtrack.text import text_digest

_NOTES = frozenset(
    {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"}
)
_SCRIPTS = frozenset({"bin", "Scripts"})


def record_digest(record: str) -> str | None:
    r"""The sha256 of the lines of a RECORD that every equal install has.

    >>> text = "a.py,sha256=x,1\na-1.dist-info/INSTALLER,sha256=y,3\n"
    >>> record_digest(text) == record_digest("a.py,sha256=x,1\n")
    True
    >>> record_digest("") is None
    True
    """
    lines = sorted(f"{path},{checked}" for path, checked, _ in _kept(record))
    if not lines:
        return None
    body = "".join(f"{line}\n" for line in lines)
    return text_digest(body)


def distribution(name: str) -> metadata.Distribution | None:
    """The one of that name that this Python would import.

    >>> distribution("no-such-thing") is None
    True
    """
    try:
        return metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def contents_digest(name: str) -> str | None:
    """`record_digest` of a distribution of this Python; None for editable ones.

    >>> contents_digest("no-such-thing") is None
    True
    """
    found = distribution(name)
    if found is None or _is_editable(found):
        return None
    return record_digest(found.read_text("RECORD") or "")


def is_whole(name: str) -> bool:
    """Whether each file of a distribution is there, in the size that RECORD says.

    >>> is_whole("no-such-thing")
    False
    """
    found = distribution(name)
    record = found.read_text("RECORD") if found is not None else None
    if found is None or not record:
        return False
    return all(
        _size(str(found.locate_file(path))) == int(size)
        for path, _, size in _kept(record)
        if size.isdigit()
    )


def _is_editable(found: metadata.Distribution) -> bool:
    """Its RECORD has no more than a pointer to the folder then."""
    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
        return bool(told.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return False


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _kept(record: str) -> Iterator[tuple[str, str, str]]:
    for row in csv.reader(io.StringIO(record)):
        path, checked, size = (*row, "", "", "")[:3]
        if path and not _is_of_the_install(PurePosixPath(path)):
            yield path, checked, size


def _is_of_the_install(path: PurePosixPath) -> bool:
    top = path.parts[0]
    if path.suffix == ".pyc":
        return True
    if top == "..":  # beside the library: a script, or data
        return any(part in _SCRIPTS for part in path.parts[-2:-1])
    return path.name in _NOTES and top.endswith(".dist-info")
