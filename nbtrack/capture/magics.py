"""The Python inside magics: what `%time y = train(5)` runs is read like the cell.

IPython turns a magic into a call that carries its code as text. Here that text takes
the place of the call, for reading only; what no magic runs stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbtrack.capture.evaluate import dotted
from nbtrack.capture.reread import reparse

_RUN_LINES = frozenset({"time", "timeit", "prun", "memit", "mprun", "lprun"})
_RUN_CELLS = _RUN_LINES | {"capture", "timeit", "track", "nbtrack", "prun"}
_CALLS = frozenset({"run_line_magic", "run_cell_magic"})
_MARK = "get_ipython()"
MAX_DEPTH = 4  # magics within magics


def without_magics(tree: ast.Module, source: str) -> ast.Module:
    """The cell with the code of its magics in their place; lines are not kept.

    >>> source = "get_ipython().run_line_magic('time', 'y = f(lr)')"
    >>> ast.unparse(without_magics(ast.parse(source), source))
    'y = f(lr)'
    """
    if _MARK not in source:
        return tree
    return ast.Module(body=list(_statements(tree.body, 0)), type_ignores=[])


def _statements(body: list[ast.stmt], depth: int) -> Iterator[ast.stmt]:
    for node in body:
        inner = _code_of(node)
        if inner is None or depth >= MAX_DEPTH:
            for name in ("body", "orelse", "finalbody"):
                within = getattr(node, name, None)
                if within:
                    setattr(node, name, list(_statements(within, depth)))
            yield node
        else:
            yield from _statements(inner, depth + 1)


def _code_of(node: ast.stmt) -> list[ast.stmt] | None:
    """The statements that a magic call runs; None for any other statement."""
    if isinstance(node, ast.Assign):
        return _assigned(node)
    if not isinstance(node, ast.Expr):
        return None
    return _parsed(_text_of(node.value))


def _assigned(node: ast.Assign) -> list[ast.stmt] | None:
    """`t = %time f(x)`: the value is what the expression gives."""
    inner = _parsed(_text_of(node.value))
    if inner and len(inner) == 1 and isinstance(inner[0], ast.Expr):
        node.value = inner[0].value
        return [node]
    return None


def _text_of(value: ast.expr) -> str | None:
    call = value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    named = isinstance(owner, ast.Call) and dotted(owner.func) == "get_ipython"
    texts = [a.value for a in call.args if isinstance(a, ast.Constant)]
    if not named or call.func.attr not in _CALLS or len(texts) < 2:
        return None
    known = _RUN_LINES if call.func.attr == "run_line_magic" else _RUN_CELLS
    return str(texts[-1]) if texts[0] in known else None


def _parsed(text: str | None) -> list[ast.stmt] | None:
    if text is None:
        return None
    for candidate in (_without_flags(text), transformed(text)):
        try:
            return reparse(candidate).body
        except (SyntaxError, ValueError):
            continue
    return None


def _without_flags(text: str) -> str:
    """`%timeit -n 10 f(x)` runs `f(x)`."""
    words = text.split(" ")
    while words and words[0].startswith("-") and "\n" not in words[0]:
        flag = words.pop(0)
        if len(flag) == 2 and words and words[0].isdigit():
            words.pop(0)
    return " ".join(words)


def transformed(text: str) -> str:
    r"""A cell, or a magic's body, as IPython hands it to Python; imports IPython.

    >>> transformed("%time f()")
    "get_ipython().run_line_magic('time', 'f()')\n"
    """
    from IPython.core.inputtransformer2 import TransformerManager

    return str(TransformerManager().transform_cell(text))
