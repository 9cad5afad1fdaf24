"""Puts the watch calls into a syntax tree; every line keeps its number.

A call stands behind the statement whose value it takes, or around the value itself.
New nodes carry the place of the user's code they belong to, so that tracebacks, line
tracing and coverage see the lines they saw before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nbtrack.capture.watch_calls import NAME
from nbtrack.capture.watch_scopes import ForLoop, Function, Note, slot_value

Tree = TypeVar("Tree", bound=ast.AST)


@dataclass(slots=True)
class Edits:
    """What is to be put where; nothing changes before `apply`."""

    _behind: dict[int, dict[int, list[ast.stmt]]] = field(default_factory=dict)
    _blocks: dict[int, list[ast.stmt]] = field(default_factory=dict)

    def behind(self, block: list[ast.stmt], index: int, call: ast.stmt) -> None:
        """Put `call` behind statement `index` of `block`; -1 is in front of all."""
        self._blocks[id(block)] = block
        self._behind.setdefault(id(block), {}).setdefault(index, []).append(call)

    def apply(self) -> None:
        """Write all of it into the tree."""
        for key, block in self._blocks.items():
            block[:] = list(_woven(block, self._behind[key]))


def _woven(
    block: list[ast.stmt], behind: dict[int, list[ast.stmt]]
) -> Iterator[ast.stmt]:
    yield from behind.get(-1, ())
    for index, statement in enumerate(block):
        yield statement
        yield from behind.get(index, ())


def copied(node: Tree) -> Tree:
    """A copy of a syntax tree; `copy.deepcopy` takes three times as long.

    >>> ast.unparse(copied(ast.parse("a = [b, 1]")))
    'a = [b, 1]'
    """
    new = type(node).__new__(type(node))  # Python 3.13 warns of a node of no fields
    # What others left on a node (its parent) is not of the tree.
    for name in (*node._fields, *node._attributes):
        if hasattr(node, name):
            setattr(new, name, _copied_value(getattr(node, name)))
    return new


def _copied_value(value: Any) -> Any:
    if isinstance(value, ast.AST):
        return copied(value)
    if isinstance(value, list):
        return [copied(v) if isinstance(v, ast.AST) else v for v in value]
    return value


def add_site(edits: Edits, note: Note, call: str, axes: tuple[str, ...]) -> None:
    """The call of one watched place: behind its statement, or around its value."""
    if note.slot is None:
        assert note.read is not None
        at = note.block[max(note.after, 0)] if note.block else note.statement
        statement = _statement(call, [note.read, *_counters(axes)], at)
        edits.behind(note.block, note.after, statement)
        return
    holder, key = note.slot
    value = slot_value(holder, key)
    _set(holder, key, _call(call, [value, *_counters(axes)], at=value))


def wrap_value(statement: ast.Assign | ast.AnnAssign, call: str) -> None:
    """Watch `loss = value` at the top of a cell without a statement behind it.

    A statement there would hide the user's last one from IPython's display.
    """
    assert statement.value is not None
    statement.value = _call(call, [statement.value], at=statement.value)


def add_round(
    edits: Edits, loop: ForLoop | ast.While, call: str, name: str | None
) -> None:
    """A call at the head of each round of a loop, with its counter."""
    at = loop.test if isinstance(loop, ast.While) else loop.target
    arguments: list[ast.expr] = [ast.Name(name, ast.Load())] if name else []
    edits.behind(loop.body, -1, _statement(call, arguments, at))


def wrap_iterable(loop: ast.For, call: str) -> None:
    """Hand the loop's iterable through a call, once, before the loop begins."""
    loop.iter = _call(call, [loop.iter], at=loop.iter)


def add_end(edits: Edits, block: list[ast.stmt], index: int, call: str) -> None:
    """A call behind a loop."""
    edits.behind(block, index, _statement(call, [], block[index]))


def add_made(function: Function, call: str) -> None:
    """Show the bare function to a call when it is made, below its own decorators."""
    node = _attribute(call)
    _place(node, function)
    function.decorator_list.append(node)


def _counters(axes: tuple[str, ...]) -> list[ast.expr]:
    if not axes:
        return []
    return [ast.Tuple([ast.Name(a, ast.Load()) for a in axes], ast.Load())]


def _attribute(call: str) -> ast.Attribute:
    return ast.Attribute(ast.Name(NAME, ast.Load()), call, ast.Load())


def _call(call: str, arguments: list[ast.expr], *, at: ast.expr) -> ast.Call:
    node = ast.Call(_attribute(call), arguments, [])
    _place(node, at)
    return node


def _statement(call: str, arguments: list[ast.expr], at: ast.AST) -> ast.Expr:
    node = ast.Expr(ast.Call(_attribute(call), arguments, []))
    _place(node, at)
    return node


def _place(node: ast.AST, at: ast.AST) -> None:
    """Give every new node below `node` the place of `at`; the user's keep theirs."""
    for new in ast.walk(node):
        if isinstance(new, ast.expr | ast.stmt) and not hasattr(new, "lineno"):
            ast.copy_location(new, at)
            # A method call over several lines would be counted on its last one.
            if new.end_lineno != new.lineno:
                new.end_lineno, new.end_col_offset = new.lineno, new.col_offset


def _set(holder: Any, key: str | int, value: ast.expr) -> None:
    if isinstance(holder, list):
        holder[int(key)] = value
    else:
        setattr(holder, str(key), value)
