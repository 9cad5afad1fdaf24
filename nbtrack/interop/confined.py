"""Paths that a stranger wrote: they lead no further than the folder they are of."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


def files_below(
    folder: Path, *, within: Path | None = None
) -> Iterator[tuple[str, Path]]:
    """The files of a folder by their paths in it, in order.

    A link counts where it leads no further than `within`, by default the folder itself:
    it may have been made to fetch what is no business of the run.
    """
    root = (within or folder).resolve()
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(base, name)
            leads_out = path.is_symlink() and not path.resolve().is_relative_to(root)
            if path.is_file() and not leads_out:
                yield path.relative_to(folder).as_posix(), path
