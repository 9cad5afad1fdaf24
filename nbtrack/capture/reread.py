r"""Parses and compiles a user's text once more, without repeating what it warns of.

CPython warns of `"\d"` and `x is 3` each time it reads them. The user has seen that
once, from their own cell; another reading of ours must not add a line to its output.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

# Python 3.11 calls it deprecated where later ones call it syntax.
_SILENT: Any = ("ignore", None, (SyntaxWarning, DeprecationWarning), None, 0)


def reparse(text: str) -> ast.Module:
    r"""`ast.parse`, in silence.

    >>> len(reparse(r"x = '\d'").body)
    1
    """
    with without_warnings():
        return ast.parse(text)


def recompile(
    what: ast.Module | str, filename: str = "<cell>", *, flags: int = 0
) -> CodeType:
    """`compile` as a cell is, with top-level await, in silence.

    >>> recompile("x = 2 is 3").co_filename
    '<cell>'
    """
    with without_warnings():
        flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(what, filename, "exec", flags, dont_inherit=True)
    assert isinstance(code, CodeType)  # it is no tree: the flags do not ask for one
    return code


@contextmanager
def without_warnings() -> Iterator[None]:
    """Say nothing of what the compiler warns of in the body.

    Not `catch_warnings`: that makes every warning that is shown once come again, and
    two threads in it may leave each other's filters behind.
    """
    filters: Any = warnings.filters
    filters.insert(0, _SILENT)
    try:
        yield
    finally:
        filters.remove(_SILENT)
