"""Finds a Python of the recorded version on this machine, and never installs one.

The minor version must be the recorded one: another has other wheels.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from nbtrack.bundles.environment.pip_call import calm_environment
from nbtrack.errors import EnvironmentBlockedError
from nbtrack.text import shorten, visible

_ASK = "import sys; print(sys.implementation.name, *sys.version_info[:3])"


def interpreter_for(version: str, *, implementation: str = "cpython") -> Path:
    """An executable of that minor version: this one, or `python3.X` on the PATH.

    Raises
    ------
    EnvironmentBlockedError
        Where there is none.

    >>> here = ".".join(map(str, sys.version_info[:3]))
    >>> str(interpreter_for(here)) == sys.executable
    True
    """
    minor = ".".join(version.split(".")[:2])
    if re.fullmatch(r"[0-9]+\.[0-9]+", minor) is None:
        raise _blocked(version, "the bundle does not say which Python it needs")
    asked = f"{implementation} {minor.replace('.', ' ')} "
    here = " ".join(map(str, (sys.implementation.name, *sys.version_info[:3])))
    if here.startswith(asked):
        return Path(sys.executable)
    found = shutil.which(f"python{minor}")
    if found is None:
        raise _blocked(version, f"there is no python{minor} on the PATH")
    if not (_told_by(found) or "").startswith(asked):
        raise _blocked(version, f"the python{minor} on the PATH does not run as one")
    return Path(found)


def _told_by(python: str) -> str | None:
    try:
        return subprocess.run(
            [python, "-c", _ASK],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
            env=calm_environment(),
        ).stdout
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def _blocked(version: str, why: str) -> EnvironmentBlockedError:
    return EnvironmentBlockedError(
        f"No environment with Python {shorten(visible(version), 20)}: {why}. Install "
        "that Python, or use `--env current`."
    )
