"""How the process stood when its session began: where a fresh one has to begin too.

Environment, working folder and module path, before any cell could change them. Held in
memory alone, since an environment may hold secrets; never written anywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SessionStart:
    """What a process gets from outside."""

    environ: Mapping[str, str] = field(repr=False)
    cwd: str
    sys_path: tuple[str, ...]


def session_starts() -> SessionStart:
    """How this process stands now.

    >>> session_starts().cwd == os.getcwd()
    True
    """
    try:
        folder = os.getcwd()
    except OSError:  # it was deleted
        folder = os.path.expanduser("~")
    return SessionStart(dict(os.environ), folder, tuple(sys.path))
