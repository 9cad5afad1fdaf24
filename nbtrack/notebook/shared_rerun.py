"""`%rerun` means two things: earlier input (IPython), and runs and bundles (ours).

Lines that IPython's own understands stay with it: no word, numbers and ranges of cells,
`-l`, `-g`, `-f`. Everything else names a run or a bundle.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

Magic = Callable[[str], Any]  # Any: what a magic returns is shown by the notebook
NAME = "rerun"
_THEIRS = re.compile(r"\s*+(?:-[lgf]\b.*|[\d~/\s-]*)", re.DOTALL)


def is_ipythons(magic: Any) -> bool:
    """Whether a magic of that name is the one that IPython comes with."""
    return str(getattr(magic, "__module__", "")).startswith("IPython.core.magics")


def is_theirs(line: str) -> bool:
    """Whether a line is meant for IPython's own.

    Examples
    --------
    >>> [is_theirs(line) for line in ("", "-l 3", "1-4 ~1/7", "base", "x.nbt.zip")]
    [True, True, True, False, False]
    """
    return _THEIRS.fullmatch(line) is not None


def shared(ours: Magic, theirs: Magic) -> Magic:
    """One magic that is both."""

    @functools.wraps(ours)
    def rerun(line: str) -> Any:
        return theirs(line) if is_theirs(line) else ours(line)

    return rerun
