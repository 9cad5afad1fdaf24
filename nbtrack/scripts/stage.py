"""`__main__`, `sys.argv` and `sys.path` as Python itself makes them for a script."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from typing import Any


def set_stage_for_script(path: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Make this process that of `python path arguments`; returns `__main__`'s names.

    The path of the script is not tidied up, nor are links in it followed: `__file__`
    and tracebacks show it so.
    """
    names = emptied_main()
    file = os.path.join(os.getcwd(), path)
    names["__file__"], names["__cached__"] = file, None
    names["__loader__"] = SourceFileLoader("__main__", file)
    _set_words([path], arguments)
    if not sys.flags.safe_path:
        sys.path.insert(0, os.path.dirname(os.path.realpath(file)))
    return names


def set_stage_for_module(module: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Make this process that of `python -m module arguments`."""
    names = emptied_main()
    _set_words(["-m", module], arguments)
    sys.argv[:] = ["-m", *arguments]  # until the module is found, as Python has it
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())
    return names


def emptied_main() -> dict[str, Any]:
    """The names of `__main__`, without those that the start of the process left."""
    names = vars(sys.modules["__main__"])
    for name in [name for name in names if name[:2] != "__"]:
        del names[name]
    return names


def _set_words(called: Sequence[str], arguments: Sequence[str]) -> None:
    sys.orig_argv[:] = [sys.executable, *called, *arguments]
    sys.argv[:] = [*called, *arguments]
