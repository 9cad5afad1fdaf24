"""Whether this Python has what a bundle's run was made with; it only looks."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from nbtrack.bundles.archive.fields import Fields, as_fields

PACKAGES = "env/packages.json"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")  # as PEP 503 normalises it
_MAX_VERSION = 100  # characters


def environment_state(packages: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Compare `env/packages.json` with what is installed here.

    EXACT: the same Python and the same versions; COMPATIBLE: another bug-fix release of
    Python, or other versions of the same packages; MISSING: another Python, or a
    package that is not here. With a sentence for each difference.

    Raises
    ------
    BundleError
        For fields of another type.

    Examples
    --------
    >>> import platform
    >>> environment_state({"python": platform.python_version(), "packages": []})
    ('EXACT', ())
    """
    told = as_fields(packages, PACKAGES)
    is_other, said = _python(told.text("python", limit=_MAX_VERSION))
    missing, differing = [said] if is_other else [], [] if is_other else [said]
    for name, had in _of_the_run(told):
        here = _installed(name)
        if here is None:
            missing.append(f"{name} {had} is not installed")
        elif here != had:
            differing.append(f"{name} is {here} here, the run had {had}")
    sentences = tuple(filter(None, [*missing, *differing]))
    if missing:
        return "MISSING", sentences
    return ("COMPATIBLE" if sentences else "EXACT"), sentences


def _python(had: str) -> tuple[bool, str]:
    """Whether it is another Python, and the sentence for any difference."""
    here = platform.python_version()
    if here == had:
        return False, ""
    is_other = here.split(".")[:2] != had.split(".")[:2]
    return is_other, f"Python is {here} here, the run had {had}"


def _of_the_run(told: Fields) -> Iterator[tuple[str, str]]:
    for row in told.rows("packages"):
        name = row.text("name", limit=200)
        had = row.text("version", limit=_MAX_VERSION)
        if not _NAME.fullmatch(name):
            row.wrong("name", "the normalised name of a package")
        if row.text("group", limit=20) == "run":
            yield name, had


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
