"""The Python that runs: version, compiler, which kind of environment it stands in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from nbtrack.records import Fact


def interpreter_facts() -> Iterator[Fact]:
    """What is known of the interpreter; its folder's name, but no path to it.

    >>> {fact.name: fact.value for fact in interpreter_facts()}["python.version"][:2]
    '3.'
    """
    version = sys.version_info
    suffix = "" if version.releaselevel == "final" else f"{version.releaselevel[0]}"
    suffix += str(version.serial) if suffix else ""
    yield Fact("python.version", ".".join(map(str, version[:3])) + suffix)
    yield Fact("python.implementation", sys.implementation.name)
    yield Fact("python.compiler", sys.version.rpartition("[")[2].rstrip("]"))
    yield Fact("python.environment", _environment())
    if hasattr(sys, "_is_gil_enabled"):
        yield Fact("python.gil", sys._is_gil_enabled())
    if sys.flags.optimize:
        yield Fact("python.optimize", sys.flags.optimize)  # no asserts


def _environment() -> str:
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):
        return f"conda {os.path.basename(sys.prefix)}"
    if sys.prefix != sys.base_prefix:
        return f"venv {os.path.basename(sys.prefix)}"
    return "no virtual environment"
