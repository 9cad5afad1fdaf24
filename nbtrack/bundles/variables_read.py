"""Which variables of the environment code reads by name: `os.environ["TEAM"]` and such.

Their values are the user's and go into no bundle; the names stand in the code. A rerun
is asked to have those that the session had.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from nbtrack.capture.reread import reparse
from nbtrack.sweeps.sites import readable

_READERS = frozenset({"getenv", "get", "pop", "setdefault"})


def variables_read(texts: Iterable[str]) -> list[str]:
    """The names, in the order of their first use.

    >>> variables_read(["os.environ['A']; os.getenv('B', 1)", "x = {'C': 1}"])
    ['A', 'B']
    """
    found: dict[str, None] = {}
    for text in texts:
        if "environ" not in text and "getenv" not in text:
            continue
        try:
            tree = reparse(readable(text))
        except (SyntaxError, ValueError):
            continue
        found |= dict.fromkeys(_names(tree))
    return list(found)


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key = node.slice if _is_environ(node.value) else None
        elif isinstance(node, ast.Call) and node.args:
            key = node.args[0] if _is_reader(node.func) else None
        elif isinstance(node, ast.Compare) and _is_environ(node.comparators[0]):
            key = node.left  # "TEAM" in os.environ
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def _is_environ(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in ("environ", "environb")


def _is_reader(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id == "getenv"
    if not isinstance(node, ast.Attribute) or node.attr not in _READERS:
        return False
    return node.attr == "getenv" or _is_environ(node.value)
