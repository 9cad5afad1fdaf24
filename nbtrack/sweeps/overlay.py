"""A folder that looks like another one, and in which some files can be written apart.

Everything is there as a link; a file that is going to be written is not, and a folder
with such a file in it is a real one. So two trials that both save `best.pt` and read it
again do not meet.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_LEFT_OUT = frozenset({".nbtrack"})


def overlaid(folder: Path, own: Path, written: Sequence[str]) -> None:
    """Fill `own` with links to what is in `folder`, but for the files in `written`.

    Paths in `written` are absolute and without links, and so is `folder`.

    >>> import tempfile
    >>> here, own = (Path(tempfile.mkdtemp()).resolve() for _ in range(2))
    >>> for name in ("data.csv", "best.pt"):
    ...     _ = (here / name).write_text(name)
    >>> overlaid(here, own, [str(here / "best.pt")])
    >>> [path.name for path in own.iterdir()]
    ['data.csv']
    """
    for entry in os.scandir(folder):
        if entry.name in _LEFT_OUT or entry.path in written:
            continue
        inside = entry.path + os.sep
        if entry.is_dir() and any(path.startswith(inside) for path in written):
            (own / entry.name).mkdir()
            overlaid(folder / entry.name, own / entry.name, written)
        else:
            os.symlink(entry.path, own / entry.name)
