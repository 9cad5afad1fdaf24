"""The file that a process is about: the notebook of its kernel, or its script.

A notebook counts as it was saved last, and that is said: what ran is in the log of its
cells. A script is `__main__`'s own file; a kernel's launcher is none, and the command
line is not looked at.
"""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from nbtrack.records import Fact, TextRecord

NOT_TOLD = "the front end does not tell which notebook this is"
NO_FILE = "no file: code from a command line or a prompt"


def is_interactive() -> bool:
    """Whether cells are run in this process, by IPython or a kernel.

    >>> is_interactive()
    False
    """
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", None)
    return shell is not None and shell() is not None


def notebook_told() -> Path | None:
    """The notebook's file as Jupyter or VS Code leave it in a kernel, else None.

    >>> notebook_told() is None
    True
    """
    if not is_interactive():
        return None
    names = getattr(sys.modules.get("__main__"), "__dict__", {})
    # Jupyter's is set once, at the kernel's start: after a rename it is stale.
    told = (names.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME"))
    for name in told:
        if isinstance(name, str) and name.endswith(".ipynb") and "\0" not in name:
            return Path(name)
    return None


def script_path() -> str | None:
    """The file of `__main__`, where it has one.

    >>> isinstance(script_path(), str)
    True
    """
    main = getattr(sys.modules.get("__main__"), "__dict__", {})
    path = main.get("__file__")
    return os.path.realpath(path) if isinstance(path, str) else None


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
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        why = f"the notebook cannot be read: {exc.strerror}"
        return [*facts, Fact("notebook.digest", missing=why)], []
    at = datetime.fromtimestamp(saved, UTC).replace(tzinfo=None)
    saved_at = at.isoformat(timespec="microseconds") + "Z"
    facts += [Fact("notebook.digest", digest), Fact("notebook.saved_at", saved_at)]
    why = f"the file as it was saved at {saved_at}; what ran is in the log of cells"
    return facts, [TextRecord("notebook", shown, digest, missing=why)]
