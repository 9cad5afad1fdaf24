"""What a cell's text says: its Python without magics, the names and texts it reads.

Nothing is executed. A text that does not parse says nothing, and no tree is given.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from nbtrack.capture.dataflow.static_flow import as_python
from nbtrack.capture.magics import without_magics
from nbtrack.capture.reread import reparse
from nbtrack.records import CellRecord

_TRACKED = re.compile(r"\A\s*%%(?:nb)?track\b[^\n]*(?:\n|\Z)")
TEXT_MAX = 200_000  # characters; a longer cell is not taken apart


def body_of(source: str) -> str:
    r"""A cell's text without the line `%%track`, and without spaces at its end.

    >>> body_of("%%track base -p lr=1\nx = 1\n")
    'x = 1'
    """
    return _TRACKED.sub("", source, count=1).rstrip()


@lru_cache(maxsize=256)  # each param asks for each cell
def tree_of(source: str) -> ast.Module | None:
    r"""The Python of a cell as typed; None where it is none. Not to be changed.

    >>> ast.unparse(tree_of("%%track\ny = f(x)"))
    'y = f(x)'
    """
    if len(source) > TEXT_MAX:
        return None
    try:
        python = as_python(body_of(source))
        return without_magics(reparse(python), python)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def names_in(cell: CellRecord) -> frozenset[str]:
    """The variables that a cell reads, loops over, or was seen to read.

    >>> sorted(names_in(CellRecord(0, None, 1, "for i in r: y = x", "", "")))
    ['i', 'r', 'x']
    """
    seen = frozenset(cell.flow.reads) if cell.flow is not None else frozenset()
    return seen | _read_names(cell.source or "")


def texts_in(cell: CellRecord) -> frozenset[str]:
    """The short texts that stand in a cell: `params["lr"]` reads lr.

    >>> sorted(texts_in(CellRecord(0, None, 1, "x = params['lr']", "", "")))
    ['lr']
    """
    return _texts(cell.source or "")


def loops_in(cell: CellRecord) -> frozenset[str]:
    """The variables of the loops in a cell.

    >>> sorted(loops_in(CellRecord(0, None, 1, "for i, x in y: pass", "", "")))
    ['i', 'x']
    """
    return _loop_names(cell.source or "")


@lru_cache(maxsize=256)
def names_set(source: str) -> frozenset[str]:
    r"""The variables to which a cell assigns somewhere.

    >>> sorted(names_set("a = 1\nb: int = 2"))
    ['a', 'b']
    """
    return frozenset(
        node.id
        for node in _nodes(source)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )


@lru_cache(maxsize=256)
def _read_names(source: str) -> frozenset[str]:
    found: set[str] = set()
    for node in _nodes(source):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    # The param of a loop is its bound, which the loop itself reads.
    return frozenset(found) | _loop_names(source)


@lru_cache(maxsize=256)
def _loop_names(source: str) -> frozenset[str]:
    loops = (ast.For, ast.AsyncFor, ast.comprehension)
    targets = [node.target for node in _nodes(source) if isinstance(node, loops)]
    inside = (each for target in targets for each in ast.walk(target))
    return frozenset(each.id for each in inside if isinstance(each, ast.Name))


@lru_cache(maxsize=256)
def _texts(source: str) -> frozenset[str]:
    constants = (n.value for n in _nodes(source) if isinstance(n, ast.Constant))
    return frozenset(value for value in constants if isinstance(value, str))


def _nodes(source: str) -> list[ast.AST]:
    tree = tree_of(source)
    return [] if tree is None else list(ast.walk(tree))
