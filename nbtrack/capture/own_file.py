"""The file that a process is about: the notebook of its kernel, or its script.

A notebook counts as it was saved last, and that is said: what ran is in the log of its
cells. A script is `__main__`'s own file; a kernel's launcher is none, and the command
line is not looked at.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbtrack.records import Fact, TextRecord

NOT_TOLD = "the front end does not tell which notebook this is"
NO_FILE = "no file: code from a command line or a prompt"


@dataclass(frozen=True, slots=True)
class OwnFile:
    """What a process is about, as far as it is told."""

    is_interactive: bool  # cells are run here, by IPython or a kernel
    path: Path | None  # of the notebook, or else of the script

    @property
    def folder(self) -> Path | None:
        """Where the notebook stands; a script's working folder says more."""
        if not self.is_interactive or self.path is None:
            return None
        return self.path.parent if self.path.parent.is_dir() else None


def told(notebook: str | None = None) -> OwnFile:
    """The notebook, given or as Jupyter or VS Code tell it, else the script.

    >>> told().is_interactive
    False
    """
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", None)
    names = getattr(sys.modules.get("__main__"), "__dict__", {})
    if notebook is not None:
        return OwnFile(True, Path(notebook))
    if shell is not None and shell() is not None:
        return OwnFile(True, _notebook(names))
    # Python takes `__file__` away when the script is done; its loader stays.
    path = names.get("__file__") or getattr(names.get("__loader__"), "path", None)
    script = Path(path).resolve() if isinstance(path, str) else None
    return OwnFile(False, script)


def _notebook(names: Mapping[str, object]) -> Path | None:
    # Jupyter's is set once, at the kernel's start: after a rename it is stale.
    for name in (names.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb") and "\0" not in name:
            return Path(name)
    return None


def look_at_notebook(
    path: Path | None, project: Path
) -> tuple[list[Fact], list[TextRecord]]:
    """The notebook's path, its digest as it was saved last, and when that was."""
    if path is None:
        return [Fact("notebook.path", missing=NOT_TOLD)], []
    shown = os.path.relpath(os.path.realpath(path), os.path.realpath(project))
    facts = [Fact("notebook.path", shown)]
    try:
        with open(path, "rb") as file:
            saved = os.fstat(file.fileno()).st_mtime
            import hashlib  # milliseconds that the run's first second need not pay

            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        why = f"the notebook cannot be read: {exc.strerror}"
        return [*facts, Fact("notebook.digest", missing=why)], []
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(saved, UTC).replace(tzinfo=None)
    saved_at = at.isoformat(timespec="microseconds") + "Z"
    facts += [Fact("notebook.digest", digest), Fact("notebook.saved_at", saved_at)]
    why = f"the file as it was saved at {saved_at}; what ran is in the log of cells"
    return facts, [TextRecord("notebook", shown, digest, missing=why)]
