"""Files that were read, as people think of them: a file, or a folder of thousands.

A thousand pictures in a folder for each class are one input, with a count.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nbtrack.capture.file_sweep import Stamp

MANY = 10  # files of one folder: then it is the folder that was read


@dataclass(slots=True)
class FileGroup:
    """One input: a file by itself, or those of a folder that were read."""

    path: Path
    files: list[tuple[Path, Stamp]] = field(default_factory=list)
    is_folder: bool = False

    @property
    def size_bytes(self) -> int:
        """Of all its files, as they were when they were opened."""
        return sum(stamp[1] for _, stamp in self.files)


def grouped(files: Iterable[tuple[Path, Stamp]]) -> list[FileGroup]:
    """Single files, and folders of which many files were read.

    >>> stamp = (0, 1, 0)
    >>> [g.path.name for g in grouped((Path(f"/d/{n}.png"), stamp) for n in range(30))]
    ['d']
    """
    folders: dict[Path, list[tuple[Path, Stamp]]] = {}
    for path, stamp in files:
        folders.setdefault(path.parent, []).append((path, stamp))
    few = [each for found in folders.values() if len(found) < MANY for each in found]
    many = {path: found for path, found in folders.items() if len(found) >= MANY}
    singles = [FileGroup(path, [(path, stamp)]) for path, stamp in few]
    joined = _joined(many).items()
    return singles + [FileGroup(path, found, is_folder=True) for path, found in joined]


def _joined(
    folders: dict[Path, list[tuple[Path, Stamp]]],
) -> dict[Path, list[tuple[Path, Stamp]]]:
    """Folders side by side (`train/cat`, `train/dog`) as the one they stand in."""
    siblings: dict[Path, list[Path]] = {}
    for path in folders:
        siblings.setdefault(path.parent, []).append(path)
    joined: dict[Path, list[tuple[Path, Stamp]]] = {}
    for parent, paths in siblings.items():
        for path in paths:
            home = parent if len(paths) > 1 else path
            joined.setdefault(home, []).extend(folders[path])
    return joined if len(joined) == len(folders) else _joined(joined)


def shown_path(path: Path, folder: Path) -> str:
    """A path as a record has it: from the notebook's folder, or from home.

    >>> shown_path(Path("/a/b/c.csv"), Path("/a")), shown_path(Path("/d"), Path("/a"))
    ('b/c.csv', '../d')
    """
    near = os.path.relpath(path, folder)
    if near.count("..") <= 1:
        return near
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
