"""What a cell states by itself: literals, loop bounds, records, names to look at later.

Reads the syntax in the order of the text, as a person would: a value is a param where
it is written out, a branch counts where its test is known, what a loop changes is a
series. Nothing of the cell is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.capture.accumulators import (
    is_accumulator,
    is_data,
    is_null,
    is_tracked_name,
)
from nbtrack.capture.evaluate import NO_DEFAULT, Known, known_or
from nbtrack.capture.fields import fields_of
from nbtrack.capture.loops import for_bounds, while_bounds
from nbtrack.capture.purity import is_pure
from nbtrack.capture.survey import Place, Survey, parts_of, survey


@dataclass(slots=True)
class CellFacts:
    """What the text of a cell says about its params."""

    found: Survey
    literals: dict[str, Any] = field(default_factory=dict)
    maybe: dict[str, list[Any]] = field(default_factory=dict)  # of undecided branches
    partial: set[str] = field(default_factory=set)  # literals with parts left out
    bounds: dict[str, Any] = field(default_factory=dict)  # loop variable -> bound
    computed: dict[str, ast.expr] = field(
        default_factory=dict
    )  # pure, value comes later
    made: dict[str, ast.expr] = field(
        default_factory=dict
    )  # bound to other expressions
    soft: set[str] = field(default_factory=set)  # set under a condition only
    known: Known = field(default_factory=Known)


def read_cell(tree: ast.Module, namespace: Mapping[str, Any]) -> CellFacts:
    r"""The facts of a parsed cell.

    >>> read_cell(ast.parse("lr = 1e-3\nfor epoch in range(10): pass"), {}).literals
    {'lr': 0.001}
    """
    return read_body(tree.body, Known(outer=namespace))


def read_body(body: list[ast.stmt], known: Known) -> CellFacts:
    """The facts of a list of statements, with what is known before them.

    >>> read_body(ast.parse("n = 2 * k").body, Known(values={"k": 3})).literals
    {'n': 6}
    """
    facts = CellFacts(survey(body), known=known)
    reader = _Reader(facts)
    reader.statements(body, sure=True)
    facts.soft -= reader.stored_surely
    for name in [name for name in facts.literals if name in facts.maybe]:
        del facts.maybe[name]
    return facts


class _Reader:
    def __init__(self, facts: CellFacts) -> None:
        self._facts = facts
        self._found = facts.found
        self._known = facts.known
        self._set_at: dict[str, Place] = {}
        self.stored_surely: set[str] = set()

    def statements(self, body: Iterable[ast.stmt], *, sure: bool) -> None:
        for node in body:
            method = _STATEMENTS.get(type(node))
            if method is not None:
                method(self, node, sure)

    # ---- assignments

    def _assign(self, node: ast.Assign, sure: bool) -> None:
        for target in node.targets:
            self._target(target, node.value, sure)

    def _annotated(self, node: ast.AnnAssign, sure: bool) -> None:
        if node.value is not None:
            self._target(node.target, node.value, sure)

    def _augmented(self, node: ast.AugAssign, sure: bool) -> None:
        if isinstance(node.target, ast.Name):
            self._forget([node.target.id])

    def _target(self, target: ast.expr, value: ast.expr | None, sure: bool) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for part, item in zip(target.elts, parts_of(target, value), strict=True):
                self._target(part, item, sure)
        elif isinstance(target, ast.Name):
            self._name(target, value, sure)
        elif isinstance(target, ast.Subscript | ast.Attribute):
            self._part(target, value, sure)

    def _name(self, target: ast.Name, value: ast.expr | None, sure: bool) -> None:
        name = target.id
        if sure:
            self.stored_surely.add(name)
        left_out = self._known.n_left_out
        result = NO_DEFAULT if value is None else known_or(value, self._known)
        if result is NO_DEFAULT or value is None:
            self._unknown(target, value, sure)
            return
        if sure:
            self._known.values[name] = result
            self._known.hidden.discard(name)
        else:
            self._forget([name])
        if is_accumulator(name, result, self._found) or _is_result(name, value):
            return
        if is_data(name, result):
            return
        if not sure:
            self._facts.maybe.setdefault(name, []).append(result)
        elif name not in self._facts.literals or not self._was_read(target):
            self._facts.literals[name] = result
            self._set_at[name] = _end(target)
            if self._known.n_left_out > left_out:
                self._facts.partial.add(name)

    def _unknown(self, target: ast.Name, value: ast.expr | None, sure: bool) -> None:
        name, facts = target.id, self._facts
        if name in facts.literals and not self._was_read(target):
            del facts.literals[name]  # overwritten before anybody saw it
        self._forget([name])
        if value is None or not sure:
            return
        facts.made[name] = value
        once = len(self._found.stores.get(name, ())) == 1
        if (
            once
            and not is_tracked_name(name)
            and is_pure(value, self._facts.found, self._settled(), self._known)
        ):
            facts.computed[name] = value

    def _part(
        self, target: ast.Subscript | ast.Attribute, value: ast.expr | None, sure: bool
    ) -> None:
        """`config["lr"] = 0.1` adds to a dict that the cell wrote out."""
        base = target.value
        result = NO_DEFAULT if value is None else known_or(value, self._known)
        held = self._known.values.get(base.id) if isinstance(base, ast.Name) else None
        if not sure or result is NO_DEFAULT or not isinstance(held, dict):
            return
        key = (
            target.attr
            if isinstance(target, ast.Attribute)
            else known_or(target.slice, self._known)
        )
        if isinstance(key, str | int):
            held[key] = result

    def _was_read(self, target: ast.Name) -> bool:
        """Whether the name was read after the value it has and before it changes."""
        since = self._set_at.get(target.id, (0, 0))
        until = (target.lineno, 1_000_000)  # its own right side reads it too
        return any(since < at <= until for at in self._found.loads.get(target.id, ()))

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._known.values.pop(name, None)
            self._known.hidden.add(name)

    def _settled(self) -> set[str]:
        facts = self._facts
        return {*facts.literals, *facts.computed, *facts.maybe}

    # ---- branches and loops

    def _if(self, node: ast.If, sure: bool) -> None:
        test = known_or(node.test, self._known) if sure else NO_DEFAULT
        if test is not NO_DEFAULT:
            taken, other = node.body, node.orelse
            if not test:
                taken, other = other, taken
            self._facts.soft.update(survey(other).stores)
            self.statements(taken, sure=sure)
            return
        for branch in (node.body, node.orelse):
            self._unsure(branch)

    def _unsure(self, body: list[ast.stmt]) -> None:
        before = dict(self._known.values)
        self.statements(body, sure=False)
        self._known.values.update(before)
        touched = survey(body).stores
        self._facts.soft.update(touched)
        self._forget(touched)

    def _with(self, node: ast.With | ast.AsyncWith, sure: bool) -> None:
        self.statements(node.body, sure=sure)

    def _try(self, node: ast.Try, sure: bool) -> None:
        self.statements([*node.body, *node.orelse], sure=sure)
        for handler in node.handlers:
            self._unsure(handler.body)
        self.statements(node.finalbody, sure=sure)

    def _match(self, node: ast.Match, sure: bool) -> None:
        for case in node.cases:
            self._unsure(case.body)

    def _for(self, node: ast.For | ast.AsyncFor, sure: bool) -> None:
        self._bounds(for_bounds(node, self._known))
        self._loop(node.body, sure=sure)
        self.statements(node.orelse, sure=False)

    def _while(self, node: ast.While, sure: bool) -> None:
        self._bounds(while_bounds(node, self._found, self._known))
        self._loop(node.body, sure=sure)

    def _bounds(self, bounds: dict[str, Any]) -> None:
        kept = self._facts.bounds
        for name, bound in bounds.items():
            if name == "iterations" and name in kept:
                continue  # of nameless loops the first, outermost one counts
            n = 2
            numbered = name
            while numbered in kept and kept[numbered] != bound:
                numbered, n = f"{name}_{n}", n + 1
            kept[numbered] = bound

    def _loop(self, body: list[ast.stmt], *, sure: bool) -> None:
        """Inside a loop only loops and plain constants, set once, say something."""
        touched = survey(body).stores
        self._forget(touched)
        for node in body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and sure:
                self._constant_in_loop(node)
            elif isinstance(node, _BLOCKS):
                self._inner(node)
        self._forget(touched)

    def _inner(self, node: ast.stmt) -> None:
        if isinstance(node, ast.For | ast.AsyncFor):
            self._for(node, False)
        elif isinstance(node, ast.While):
            self._while(node, False)
        else:
            for name in ("body", "orelse", "finalbody"):
                for inner in getattr(node, name, ()):
                    if isinstance(inner, _BLOCKS):
                        self._inner(inner)

    def _constant_in_loop(self, node: ast.Assign | ast.AnnAssign) -> None:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name) or node.value is None:
            return
        once = len(self._found.stores.get(target.id, ())) == 1
        value = known_or(node.value, self._known) if once else NO_DEFAULT
        plain = isinstance(value, int | float | str) and not isinstance(value, bool)
        if plain and not is_null(value) and not is_tracked_name(target.id):
            self._facts.literals.setdefault(target.id, value)

    # ---- definitions

    def _class(self, node: ast.ClassDef, sure: bool) -> None:
        """A class of settings: a dataclass, or attributes and nothing else."""
        fields = fields_of(node, self._known)
        if fields is None:
            return
        self._known.records[node.name] = fields
        values = {name: v for name, v in fields.items() if v is not NO_DEFAULT}
        if (
            sure
            and values
            and not node.decorator_list
            and not self._is_called(node.name)
        ):
            self._facts.literals[node.name] = values

    def _is_called(self, name: str) -> bool:
        return any(
            isinstance(call.func, ast.Name) and call.func.id == name
            for call, _ in self._found.calls
        )


def _is_result(name: str, value: ast.expr) -> bool:
    """`acc = correct / total` is no param, even where both could be worked out."""
    return is_tracked_name(name) and any(
        isinstance(part, ast.Name | ast.Call) for part in ast.walk(value)
    )


def _end(node: ast.expr) -> Place:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


_BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try)
# Any: each method takes the node it stands beside
_STATEMENTS: dict[type[ast.stmt], Callable[[_Reader, Any, bool], None]] = {
    ast.Assign: _Reader._assign,
    ast.AnnAssign: _Reader._annotated,
    ast.AugAssign: _Reader._augmented,
    ast.If: _Reader._if,
    ast.With: _Reader._with,
    ast.AsyncWith: _Reader._with,
    ast.Try: _Reader._try,
    ast.TryStar: _Reader._try,
    ast.Match: _Reader._match,
    ast.For: _Reader._for,
    ast.AsyncFor: _Reader._for,
    ast.While: _Reader._while,
    ast.ClassDef: _Reader._class,
}
