"""Paths that a stranger wrote: they lead no further than the folder they are of."""

from __future__ import annotations

from pathlib import Path


def inside(folder: Path, path: str) -> Path | None:
    """Where a path leads, links followed; None where that is outside of the folder.

    >>> folder = Path("files").absolute()
    >>> inside(folder, "../.ssh/id_rsa"), inside(folder, "/etc/passwd")
    (None, None)
    """
    if "\0" in path:
        return None
    found = (folder / path).resolve()
    return found if found.is_relative_to(folder.resolve()) else None


def file_inside(folder: Path, path: str) -> Path | None:
    """The file there; None where none is, or it lies outside of the folder."""
    found = inside(folder, path)
    return found if found is not None and found.is_file() else None
