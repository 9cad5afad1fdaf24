"""Which bundles this user has made or trusted: a rerun of another one needs a word.

One small file for each, named by the bundle's id, in the user's state folder
(`$XDG_STATE_HOME/nbtrack/bundles`, else `~/.local/state`). The id covers every byte of
a bundle, so that nothing else passes under it.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_ID = re.compile(r"[0-9a-f]{64}")


def trust(bundle_id: str) -> None:
    """Remember a bundle; where the home cannot be written, it is asked for again."""
    if not _ID.fullmatch(bundle_id):
        return
    with suppress(OSError):
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / bundle_id).touch(mode=0o600)


def is_trusted(bundle_id: str) -> bool:
    """Whether this user made the bundle, or has trusted it before.

    >>> is_trusted("no id")
    False
    """
    return bool(_ID.fullmatch(bundle_id)) and (_folder() / bundle_id).is_file()


def _folder() -> Path:
    told = os.environ.get("XDG_STATE_HOME", "")
    state = Path(told) if os.path.isabs(told) else Path.home() / ".local" / "state"
    return state / "nbtrack" / "bundles"
