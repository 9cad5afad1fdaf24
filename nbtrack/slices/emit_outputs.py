"""`Out[3]`, `_3`, `_`, `In`: kept up to date in a script whose cells read them.

A script shows nothing, so the value of a cell's last line is kept only where some cell
asks for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nbtrack.records import CellRecord
from nbtrack.slices.emit_cell import parsed
from nbtrack.slices.emit_text import Edit, Places, edited, string_by_lines

_ONE_OUT = re.compile(r"_\d+")
_ONE_IN = re.compile(r"_i\d+|_ii?i?|In|_ih")
# Calls of ours stand for magics, which show nothing.
_OURS = ("_nb_write(", "_nb_cd(", "_nb_run", "_nb_once(", "__import__('subprocess')")
_LATEST = frozenset({"_", "__", "___"})


@dataclass(frozen=True, slots=True)
class Shown:
    """Which of a notebook's outputs and inputs the kept cells read."""

    numbers: frozenset[int] = frozenset()  # of the executions whose value is read
    all_outs: bool = False
    ins: bool = False

    def keeps(self, cell: CellRecord) -> bool:
        """Whether the value of this cell's last line is kept."""
        return self.all_outs or cell.execution in self.numbers

    @property
    def any_outs(self) -> bool:
        """Whether there are outputs to keep at all."""
        return self.all_outs or bool(self.numbers)


def what_is_read(texts: Sequence[str], bound: Collection[str]) -> Shown:
    """Look for them in all kept cells.

    >>> what_is_read(["x = _3 + Out[4]"], {"x"}).numbers == {3, 4}
    True
    """
    numbers: set[int] = set()
    all_outs = ins = False
    for text in texts:
        tree = parsed(text)
        for node in ast.walk(tree) if tree else ():
            found = _number_of(node)
            if found is not None:
                numbers.add(found)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                all_outs |= node.id in _LATEST - set(bound)
                all_outs |= node.id in {"Out", "_oh"} and not _all_are_numbered(tree)
                ins |= bool(_ONE_IN.fullmatch(node.id)) and node.id not in bound
    return Shown(frozenset(numbers), all_outs, ins)


def _number_of(node: ast.AST) -> int | None:
    """The execution whose output is read, where the number stands there."""
    if isinstance(node, ast.Name) and _ONE_OUT.fullmatch(node.id):
        return int(node.id[1:])
    if isinstance(node, ast.Subscript) and _is_out(node.value):
        place = node.slice
        if isinstance(place, ast.Constant) and type(place.value) is int:
            return place.value
    return None


def _is_out(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in {"Out", "_oh"}


def _all_are_numbered(tree: ast.AST | None) -> bool:
    nodes = list(ast.walk(tree)) if tree else []
    n_outs = sum(_is_out(node) for node in nodes)
    numbered = (
        isinstance(node, ast.Subscript) and _number_of(node) is not None
        for node in nodes
    )
    return n_outs == sum(numbered)


def preamble(shown: Shown) -> str:
    """What stands in every notebook before its first cell.

    >>> preamble(Shown(ins=True))
    'In = _ih = [""]'
    """
    lines = []
    if shown.any_outs:
        lines.append('Out = _oh = {}\n_ = __ = ___ = ""')
    if shown.ins:
        lines.append('In = _ih = [""]')
    return "\n".join(lines)


def with_value_kept(text: str, number: int | None) -> str:
    r"""The cell with the value of its last line kept, if it shows one.

    >>> with_value_kept("x = 1\nx + 1  # two", 3)
    'x = 1\n_nb_shown(3, (x + 1))  # two'
    >>> with_value_kept("x + 1;", 3)
    'x + 1;'
    """
    tree = parsed(text)
    last = tree.body[-1] if tree and tree.body else None
    if not isinstance(last, ast.Expr):
        return text
    places = Places(text)
    start, end = places.of(last)
    if text[start:].startswith(_OURS):
        return text
    if re.match(r"[ \t]*;[ \t]*(?:#.*)?\s*\Z", text[end:]):
        return text  # a semicolon at the end: nothing is shown, nothing is kept
    opened = Edit(start, start, f"_nb_shown({number}, (")
    return edited(text, [opened, Edit(end, end, "))")])


def text_kept(cell: CellRecord) -> str:
    """The call that notes what was typed.

    >>> print(text_kept(CellRecord(0, None, 2, "x", "", "")))
    _nb_typed(2, (
        'x'
    ))
    """
    return f"_nb_typed({cell.execution}, {string_by_lines(cell.source or '')})"
