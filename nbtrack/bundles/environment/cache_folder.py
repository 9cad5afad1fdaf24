"""Where what can be had again is kept: wheels' hashes, and environments.

In the user's own cache folder, in folders that nobody else can read. Removing it costs
time and nothing else.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/nbtrack`, or `~/.cache/nbtrack`; made where it is missing.

    >>> cache_folder().name
    'nbtrack'
    """
    told = os.environ.get("XDG_CACHE_HOME", "")
    # A relative one does not count, says its specification.
    home = Path(told) if os.path.isabs(told) else Path.home() / ".cache"
    folder = home / "nbtrack"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_whole(path: Path, text: str) -> None:
    """Write a private file in one step: a reader sees the old one or the new one."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
