"""Temporary folders that are gone at the end, also where their process was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def fresh_folder(prefix: str) -> Path:
    """A folder of this process's own, by its real path; first, orphans are removed.

    Orphans are the folders of the same prefix whose process was killed.

    >>> folder = fresh_folder("nbtrack-example-")
    >>> folder.name.startswith(f"nbtrack-example-{os.getpid()}-")
    True
    >>> remove_folder(folder)
    """
    _remove_orphans(prefix)
    return Path(os.path.realpath(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-")))


def remove_folder(folder: Path) -> None:
    """Take a folder away, whatever a script did to its permissions.

    >>> folder = fresh_folder("nbtrack-example-")
    >>> remove_folder(folder)
    >>> folder.exists()
    False
    """
    shutil.rmtree(folder, onerror=_forced)


def _remove_orphans(prefix: str) -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        pid = path.name.removeprefix(prefix).partition("-")[0]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            shutil.rmtree(path, ignore_errors=True)


def _forced(call: object, path: str, error: object) -> None:
    """For `rmtree`: try again with the permission that is missing."""
    for there in (os.path.dirname(path), path):
        if not os.path.islink(there):
            try:
                os.chmod(there, 0o700)
            except OSError:
                continue
    try:
        os.unlink(path)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)
