"""Calls pip in a process of its own, which ends with this one's patience or Ctrl-C.

It is the pip of this Python (or the one that comes with Python) with the user's own
settings: index, mirrors, find-links, certificates. What would have it install somewhere
else, or ask a question, is left out. What it says is an answer, never an exception.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from nbtrack.capture.child_end import end_group
from nbtrack.text import shorten, visible

OFFLINE = "NBTRACK_OFFLINE"
NO_PIP = "this Python has no pip: `python -m ensurepip` installs it"
_OPTIONS = ("--no-input", "--no-color", "--disable-pip-version-check")
_DROPPED = frozenset(
    {
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT"),
        *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_REPORT"),
        *("PIP_REQUIREMENT", "PIP_DRY_RUN", "PIP_QUIET", "PIP_VERBOSE", "PIP_LOG"),
        *("PIP_UPGRADE", "PIP_FORCE_REINSTALL", "PIP_NO_CLEAN", "PIP_SRC"),
    }
)
_NOT_FOUND = re.compile(r"No matching distribution found for ([\w.-]+)")
_BAD_HASH = re.compile(r"^ {4}([\w.-]+)(?:==| from | @ )", re.MULTILINE)
_DIFFERS = "DO NOT MATCH THE HASHES"


@dataclass(frozen=True, slots=True)
class PipAnswer:
    """What came of one call."""

    errors: str = ""
    failure: str | None = None  # in one line; None: it did what it was asked

    @property
    def refused(self) -> tuple[str, ...]:
        """The packages that were not found, or are not what their hashes say.

        >>> PipAnswer("ERROR: No matching distribution found for a==1").refused
        ('a',)
        """
        found = _NOT_FOUND.findall(self.errors)
        if _DIFFERS in self.errors:
            found += _BAD_HASH.findall(self.errors.partition(_DIFFERS)[2])
        return tuple(dict.fromkeys(found))


def call_pip(
    arguments: Sequence[str], *, python: Path | None = None, timeout_s: float
) -> PipAnswer:
    """Call pip and wait for it.

    Parameters
    ----------
    arguments
        Of pip, from its verb on.
    python
        The Python into which it installs; default: this one.
    timeout_s
        Seconds after which it is ended.

    >>> call_pip(["no-such-verb"], timeout_s=60).failure
    'ERROR: unknown command "no-such-verb"'
    """
    command = _command(python)
    if command is None:
        return PipAnswer(failure=NO_PIP)
    return _called([*command, *_OPTIONS, *arguments], timeout_s)


def is_offline() -> bool:
    """Whether the user said that no index is to be asked, by `NBTRACK_OFFLINE=1`.

    >>> is_offline() is (os.environ.get(OFFLINE, "0") not in {"", "0"})
    True
    """
    return os.environ.get(OFFLINE, "0") not in {"", "0"}


def calm_environment() -> dict[str, str]:
    """The variables for a Python that looks at nothing but its own packages.

    >>> "PYTHONPATH" in calm_environment()
    False
    """
    kept = {name: told for name, told in os.environ.items() if name not in _DROPPED}
    settings = {"PYTHONSAFEPATH": "1", "PYTHONIOENCODING": "utf-8"}
    return kept | settings | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}


def _command(python: Path | None) -> list[str] | None:
    into = python or Path(sys.executable)
    if find_spec("pip") is not None:
        chosen = [] if python is None else ["--python", str(into)]
        return [sys.executable, "-m", "pip", *chosen]
    wheel = _bundled_pip()
    return None if wheel is None else [str(into), f"{wheel}/pip"]


@cache
def _bundled_pip() -> Path | None:
    """The wheel of pip that Python brings for `ensurepip`."""
    spec = find_spec("ensurepip")
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR")]  # of Debian and Fedora
    if spec is not None and spec.origin is not None:
        folders.append(str(Path(spec.origin).parent / "_bundled"))
    wheels = [sorted(Path(folder).glob("pip-*.whl")) for folder in folders if folder]
    return next((found[-1] for found in wheels if found), None)


def _called(command: list[str], timeout_s: float) -> PipAnswer:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=calm_environment(),
            process_group=0,  # whatever it starts to build is ended with it
        )
    except OSError as exc:
        return PipAnswer(failure=f"pip cannot be run: {exc}")
    with process:
        try:
            _, said = process.communicate(timeout=max(0.1, timeout_s))
        except subprocess.TimeoutExpired:
            return PipAnswer(failure=f"pip took longer than {timeout_s:.0f} s")
        finally:
            end_group(process)
    errors = said.decode("utf-8", "replace")
    return PipAnswer(errors, _reason(errors) if process.returncode else None)


def _reason(errors: str) -> str:
    from nbtrack.redact import redact

    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("ERROR")]
    telling = [line for line in said if _DIFFERS in line]
    last = (telling or said or lines or ["pip failed and said nothing"])[-1]
    return shorten(visible(redact(last)[0]), 200)
