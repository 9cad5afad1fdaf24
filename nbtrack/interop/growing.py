"""The state of files that only grow, as logs do: their lengths say what is new."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nbtrack.text import text_digest

_SHOWN_MAX = 100  # characters; a longer state is told by its digest


def state_of(files: Iterable[Path]) -> str:
    """What differs as soon as one of the files has grown, wherever they lie."""
    sizes = " ".join(str(_size_of(file)) for file in files)
    if len(sizes) <= _SHOWN_MAX:
        return sizes
    return text_digest(sizes)


def _size_of(file: Path) -> int:
    try:
        return os.path.getsize(file)
    except OSError:
        return -1  # it is gone, which is told when the run is read
