"""One pass over a cell's syntax: who sets, changes, reads and calls what, and where.

Only the cell's own level is surveyed: the body of a function or class is noted, not
entered. Nothing is executed and nothing is judged here; `cell.py` draws conclusions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

MUTATORS = frozenset(
    {"append", "extend", "add", "update", "insert", "setdefault", "appendleft", "pop"}
)
Place = tuple[int, int]  # line and column
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Store:
    """One place that sets a name."""

    kind: str  # assign, aug, for, with, import, def, except, del
    depth: int  # loops around it
    at: Place
    value: ast.expr | None = None  # of a `for`: what it runs over
    op: ast.operator | None = None


@dataclass(slots=True)
class Survey:
    """What a piece of code does to names, in the order of the text."""

    stores: dict[str, list[Store]] = field(default_factory=dict)
    loads: dict[str, list[Place]] = field(default_factory=dict)
    mutated: dict[str, int] = field(default_factory=dict)  # name -> deepest loop depth
    passed: set[str] = field(default_factory=set)  # bare arguments of calls
    calls: list[tuple[ast.Call, int]] = field(default_factory=list)
    functions: dict[str, Definition] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)

    def stored_in_loop(self, name: str) -> list[Store]:
        r"""The places inside loops that set `name`.

        >>> found = survey(ast.parse("n = 0\nfor i in x: n += 1").body)
        >>> found.stored_in_loop("n")[0].kind
        'aug'
        """
        return [store for store in self.stores.get(name, ()) if store.depth]

    def changes_in_loop(self, name: str) -> bool:
        """Whether a loop sets `name` or changes what it holds.

        >>> survey(ast.parse("for i in x: a.append(i)").body).changes_in_loop("a")
        True
        """
        return bool(self.stored_in_loop(name)) or self.mutated.get(name, 0) > 0


def survey(body: Iterable[ast.stmt]) -> Survey:
    """Survey the statements of a cell or of a function's body.

    >>> sorted(survey(ast.parse("a = f(b)").body).loads)
    ['b', 'f']
    """
    surveyor = _Surveyor()
    for statement in body:
        surveyor.visit(statement, 0)
    return surveyor.found


class _Surveyor:
    def __init__(self) -> None:
        self.found = Survey()

    def visit(self, node: ast.AST, depth: int) -> None:
        method = _VISITS.get(type(node))
        if method is None:
            self._children(node, depth)
        else:
            method(self, node, depth)

    def _children(self, node: ast.AST, depth: int) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        self.visit(item, depth)
            elif isinstance(value, ast.AST):
                self.visit(value, depth)

    def _all(self, nodes: Iterable[ast.AST], depth: int) -> None:
        for node in nodes:
            self.visit(node, depth)

    def _nothing(self, node: ast.AST, depth: int) -> None:
        """Constants, contexts and operators name nothing."""

    def _name(self, node: ast.Name, depth: int) -> None:
        if isinstance(node.ctx, ast.Load):
            self.found.loads.setdefault(node.id, []).append(_place(node))
        else:
            self._store(node.id, Store("assign", depth, _place(node)))

    def _store(self, name: str, store: Store) -> None:
        self.found.stores.setdefault(name, []).append(store)

    def _assign(self, node: ast.Assign, depth: int) -> None:
        self.visit(node.value, depth)
        for target in node.targets:
            self._target(target, node.value, "assign", depth)

    def _annotated(self, node: ast.AnnAssign, depth: int) -> None:
        if node.value is not None:
            self.visit(node.value, depth)
            self._target(node.target, node.value, "assign", depth)

    def _walrus(self, node: ast.NamedExpr, depth: int) -> None:
        self.visit(node.value, depth)
        self._target(node.target, node.value, "assign", depth)

    def _augmented(self, node: ast.AugAssign, depth: int) -> None:
        self.visit(node.value, depth)
        if isinstance(node.target, ast.Name):
            at = _place(node.target)
            self.found.loads.setdefault(node.target.id, []).append(at)
            self._store(node.target.id, Store("aug", depth, at, node.value, node.op))
        else:
            self._target(node.target, None, "aug", depth)

    def _target(
        self, target: ast.expr, value: ast.expr | None, kind: str, depth: int
    ) -> None:
        if isinstance(target, ast.Name):
            self._store(target.id, Store(kind, depth, _place(target), value))
        elif isinstance(target, ast.Tuple | ast.List) and kind == "for":
            for part in target.elts:  # what each part runs over is not in the text
                self._target(part, None, kind, depth)
        elif isinstance(target, ast.Tuple | ast.List):
            for part, item in zip(target.elts, parts_of(target, value), strict=True):
                self._target(part, item, kind, depth)
        elif isinstance(target, ast.Starred):
            self._target(target.value, None, kind, depth)
        else:
            self._changed(target, depth)
            self.visit(target, depth)

    def _changed(self, node: ast.expr, depth: int) -> None:
        name = base_name(node)
        if name is not None:
            self.found.mutated[name] = max(depth, self.found.mutated.get(name, 0))

    def _for(self, node: ast.For | ast.AsyncFor, depth: int) -> None:
        self.visit(node.iter, depth)
        self._target(node.target, node.iter, "for", depth + 1)
        self._all(node.body, depth + 1)
        self._all(node.orelse, depth)

    def _while(self, node: ast.While, depth: int) -> None:
        self.visit(node.test, depth + 1)
        self._all(node.body, depth + 1)
        self._all(node.orelse, depth)

    def _comprehension(self, node: ast.expr, depth: int) -> None:
        """Its targets are its own; what it reads and calls is the cell's."""
        for generator in node.generators:  # type: ignore[attr-defined]
            self.visit(generator.iter, depth)
            self._all(generator.ifs, depth)
        for name in ("elt", "key", "value"):
            part = getattr(node, name, None)
            if part is not None:
                self.visit(part, depth)

    def _call(self, node: ast.Call, depth: int) -> None:
        self.found.calls.append((node, depth))
        if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            self._changed(node.func.value, depth)
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Name):
                self.found.passed.add(argument.id)
            self.visit(argument, depth)
        self.visit(node.func, depth)

    def _with(self, node: ast.With | ast.AsyncWith, depth: int) -> None:
        for item in node.items:
            self.visit(item.context_expr, depth)
            if item.optional_vars is not None:
                self._target(item.optional_vars, None, "with", depth)
        self._all(node.body, depth)

    def _import(self, node: ast.Import | ast.ImportFrom, depth: int) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self._store(name, Store("import", depth, _place(node)))

    def _handler(self, node: ast.ExceptHandler, depth: int) -> None:
        if node.name is not None:
            self._store(node.name, Store("except", depth, _place(node)))
        self._all(node.body, depth)

    def _delete(self, node: ast.Delete, depth: int) -> None:
        for target in node.targets:
            self._target(target, None, "del", depth)

    def _def(self, node: Definition, depth: int) -> None:
        self.found.functions[node.name] = node
        self._store(node.name, Store("def", depth, _place(node)))
        defaults = [d for d in node.args.kw_defaults if d is not None]
        self._all([*node.decorator_list, *node.args.defaults, *defaults], depth)

    def _class(self, node: ast.ClassDef, depth: int) -> None:
        self.found.classes[node.name] = node
        self._store(node.name, Store("def", depth, _place(node)))
        self._all([*node.decorator_list, *node.bases], depth)


def parts_of(
    target: ast.Tuple | ast.List, value: ast.expr | None
) -> list[ast.expr | None]:
    """The value of each name in `a, b = 1, 2`; None where it is not written out.

    >>> statement = ast.parse("a, b = 1, 2").body[0]
    >>> [part.value for part in parts_of(statement.targets[0], statement.value)]
    [1, 2]
    """
    starred = any(isinstance(part, ast.Starred) for part in target.elts)
    same = isinstance(value, ast.Tuple | ast.List) and not starred
    if same and len(value.elts) == len(target.elts):  # type: ignore[union-attr]
        return list(value.elts)  # type: ignore[union-attr]
    return [None] * len(target.elts)


def base_name(node: ast.expr) -> str | None:
    """The name whose value `hist["loss"][0]` or `cfg.lr` is a part of.

    >>> base_name(ast.parse("hist['loss'][0]", mode="eval").body)
    'hist'
    """
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _place(node: ast.AST) -> Place:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


# Any: each method takes the node it stands beside
_VISITS: dict[type[ast.AST], Callable[[_Surveyor, Any, int], None]] = {
    ast.Name: _Surveyor._name,
    ast.Constant: _Surveyor._nothing,
    ast.Load: _Surveyor._nothing,
    ast.Assign: _Surveyor._assign,
    ast.AnnAssign: _Surveyor._annotated,
    ast.AugAssign: _Surveyor._augmented,
    ast.NamedExpr: _Surveyor._walrus,
    ast.For: _Surveyor._for,
    ast.AsyncFor: _Surveyor._for,
    ast.While: _Surveyor._while,
    ast.Call: _Surveyor._call,
    ast.With: _Surveyor._with,
    ast.AsyncWith: _Surveyor._with,
    ast.Import: _Surveyor._import,
    ast.ImportFrom: _Surveyor._import,
    ast.ExceptHandler: _Surveyor._handler,
    ast.Delete: _Surveyor._delete,
    ast.FunctionDef: _Surveyor._def,
    ast.AsyncFunctionDef: _Surveyor._def,
    ast.ClassDef: _Surveyor._class,
    ast.ListComp: _Surveyor._comprehension,
    ast.SetComp: _Surveyor._comprehension,
    ast.DictComp: _Surveyor._comprehension,
    ast.GeneratorExp: _Surveyor._comprehension,
}
