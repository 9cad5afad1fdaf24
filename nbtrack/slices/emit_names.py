"""The names that a cell binds anywhere, and those it mentions."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def bound_anywhere(tree: ast.AST) -> frozenset[str]:
    r"""Every name that something in the tree binds, in whatever scope.

    >>> sorted(bound_anywhere(ast.parse("def f(a): b = 1\nimport c.d as e, g.h")))
    ['a', 'b', 'e', 'f', 'g']
    """
    return frozenset(name for node in ast.walk(tree) for name in _bound_by(node))


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        if node.name:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names


def mentioned(tree: ast.AST) -> frozenset[str]:
    """Every name in the tree, bound or read.

    >>> sorted(mentioned(ast.parse("x = f(y)")))
    ['f', 'x', 'y']
    """
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(names) | bound_anywhere(tree)
