"""The code of a script: compiled as Python does it, and with watch calls in it.

What is watched has the same lines and columns, so that tracebacks are the same. Where
anything goes wrong on our side, it is the plain code that runs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib.util import decode_source
from types import CodeType
from typing import Any

from nbtrack.capture.reread import reparse, without_warnings
from nbtrack.guard import guard
from nbtrack.tracked.deferred import Prepared
from nbtrack.tracked.parts import WATCHING


@dataclass(frozen=True, slots=True)
class Source:
    """A script that compiles."""

    path: str  # as tracebacks show it
    text: str
    code: CodeType


def read_source(path: str) -> Source | None:
    """Read and compile a script; None for one that does not compile.

    What the compiler warns of is said here, once.
    """
    with open(path, "rb") as file:
        body = file.read()
    try:
        with without_warnings():
            compile(body, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # before Python 3.12 a NUL is a ValueError
        return None
    return source_of(path, body, compile(body, path, "exec", dont_inherit=True))


def source_of(path: str, body: bytes, code: CodeType) -> Source:
    r"""A script whose code is there.

    >>> source_of("a.py", b"x = 1\r\n", compile("x = 1", "a.py", "exec")).text
    'x = 1\n'
    """
    text = ""
    with guard(WATCHING):
        text = decode_source(body)
    return Source(path, text, code)


def watched_code(
    source: Source, prepared: Prepared, namespace: dict[str, Any]
) -> CodeType:
    """The code with its watch calls, where its metrics are to be watched."""
    options = prepared.options
    with guard(WATCHING):
        prepared.tree = reparse(source.text)
        if (options.zero_edit or options.watch) and not guard.is_off(WATCHING):
            return _woven(source, prepared, namespace)
    return source.code


def _woven(source: Source, prepared: Prepared, namespace: dict[str, Any]) -> CodeType:
    from nbtrack.capture.watch import Watcher

    options = prepared.options
    watcher = Watcher(prepared.sink, watch=options.watch, zero_edit=options.zero_edit)
    prepared.watcher = watcher
    made = watcher.instrument(prepared.tree, namespace)
    if made is prepared.tree:
        return source.code
    ast.fix_missing_locations(made)
    with without_warnings():
        return compile(made, source.path, "exec", dont_inherit=True)
