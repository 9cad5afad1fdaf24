"""What one cell reads and surely sets, by its text and by the code that it reaches.

A load counts unless the cell has set the name on every way there: branches, loops that
may not run and handlers are told apart. Functions and classes of the notebook are
followed through their bytecode when their name is loaded, as in `capture.reads`, and so
is every code object that the values read hold somewhere. Nothing is executed.
"""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.capture.dataflow.cell_magics import magic_of
from nbtrack.capture.dataflow.tree_parts import (
    arguments_of,
    codes_in,
    leaves,
    names_in,
    takes_all,
)
from nbtrack.capture.magics import without_magics
from nbtrack.capture.reads import Walk
from nbtrack.capture.reread import recompile, reparse

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_TRIES = ast.Try | ast.TryStar
_RUN_TEXT = frozenset({"exec", "eval"})
# Context managers that go on after an exception: the body may have stopped anywhere.
_SWALLOWING = re.compile(r"suppress|raises|ignore", re.IGNORECASE)
_DEFINES = re.compile(r"\b(?:def|class)\b")
_SETTERS = frozenset({"setattr", "delattr"})


@dataclass(slots=True)
class CellReads:
    """What a cell reads, in the order of first reading, and what it does to names."""

    names: list[str] = field(default_factory=list)
    kills: set[str] = field(default_factory=set)  # set, whatever they were before
    stores: set[str] = field(default_factory=set)  # set, maybe
    soft: set[str] = field(default_factory=set)  # read only where it was maybe set
    attributes: set[str] = field(default_factory=set)  # asked for, anywhere in reach
    imports: set[str] = field(default_factory=set)  # modules, dotted
    strings: set[str] = field(default_factory=set)
    patched: set[str] = field(default_factory=set)  # `a.b` of `a.b.c = ...`
    derives: bool = False  # it makes a class from another one
    everything: bool = False  # exec, globals() ...: it may read all
    is_broken: bool = False  # it does not compile


def cell_reads(
    python: str,
    namespace: Mapping[str, Any],
    codes_of: Callable[[str], Iterable[types.CodeType]] | None = None,
) -> CellReads:
    r"""The reads of a cell that is about to run.

    Parameters
    ----------
    python
        The cell as Python; IPython's calls for magics may stand in it.
    namespace
        The user's namespace at the start of the cell.
    codes_of
        Called with each name that is read: the code objects of the notebook that its
        value holds somewhere, which count as well.

    >>> found = cell_reads("if c:\n    x = 1\ny = x", {"x": 0, "c": True})
    >>> found.names, sorted(found.kills), sorted(found.stores)
    (['c', 'x'], ['y'], ['x', 'y'])
    """
    try:
        tree = without_magics(reparse(python), python)
        # Only functions are read by their bytecode; to compile takes half of the time.
        code = recompile(tree) if _DEFINES.search(python) else None
    except (SyntaxError, ValueError, RecursionError):
        return CellReads(is_broken=True)
    return _CellWalk(code, namespace).run(tree, codes_of)


class _CellWalk:
    """Goes through the cell's own statements in the order in which they run."""

    def __init__(
        self, code: types.CodeType | None, namespace: Mapping[str, Any]
    ) -> None:
        self._walk = Walk(namespace)
        codes = () if code is None else codes_in(code)
        self._codes = {(c.co_name, c.co_firstlineno): c for c in codes}
        self._found = CellReads()

    def run(
        self,
        tree: ast.Module,
        codes_of: Callable[[str], Iterable[types.CodeType]] | None,
    ) -> CellReads:
        self._body(tree.body)
        # The list grows while it is gone through: what is followed reads more.
        for name in self._walk.reads.names:
            for code in () if codes_of is None else codes_of(name):
                if not self._walk.is_waiting(code):
                    self._walk.follow(code)
        found, walk = self._found, self._walk
        found.names = walk.reads.names
        # A name that is read first and set later is no kill.
        found.kills = walk.stored - set(walk.reads.names)
        found.soft -= walk.stored  # a later store would look like the one before
        found.stores |= walk.stored | walk.reads.rebound
        found.attributes |= walk.attributes
        found.imports |= walk.imports
        found.strings |= walk.strings
        found.everything |= walk.reads.everything
        return found

    # ---- statements

    def _body(self, body: Iterable[ast.stmt]) -> None:
        for node in body:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.If):
            self._expression(node.test)
            self._either(node.body, node.orelse)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._expression(node.iter)
            self._maybe(lambda: self._turn(node))
            self._maybe(lambda: self._body(node.orelse))
        elif isinstance(node, ast.While):
            self._expression(node.test)
            self._maybe(lambda: self._body(node.body))
            self._maybe(lambda: self._body(node.orelse))
        elif isinstance(node, _TRIES):
            self._try(node)
        elif isinstance(node, ast.Match):
            self._match(node)
        elif isinstance(node, _FUNCTIONS):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node)
        else:
            self._simple(node)

    def _turn(self, node: ast.For | ast.AsyncFor) -> None:
        self._target(node.target)
        self._body(node.body)

    def _simple(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            self._expression(node.value)
            for target in node.targets:
                self._target(target)
        elif isinstance(node, ast.AugAssign):
            self._expression(node.value)
            self._load_target(node.target)
            self._target(node.target)
        elif isinstance(node, ast.AnnAssign):
            self._expressions([node.annotation, node.value])
            if node.value is not None or not isinstance(node.target, ast.Name):
                self._target(node.target)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._delete(target)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._expression(item.context_expr)
                self._target(item.optional_vars)
            swallows = _SWALLOWING.search(ast.unparse(node.items[0].context_expr))
            body = node.body
            if swallows:
                self._maybe(lambda: self._body(body))
            else:
                self._body(body)
        else:
            self._expressions(ast.iter_child_nodes(node))

    def _either(self, one: list[ast.stmt], other: list[ast.stmt]) -> None:
        """Both ways from here; sure is what both of them set."""
        before = set(self._walk.stored)
        self._body(one)
        after_one = self._walk.stored
        self._back_to(before)
        self._body(other)
        self._joined(after_one)

    def _maybe(self, walk: Callable[[], None]) -> None:
        """What may not run, or not to its end, sets nothing surely."""
        before = set(self._walk.stored)
        walk()
        self._found.stores |= self._walk.stored
        self._back_to(before)

    def _back_to(self, stored: set[str]) -> None:
        """Go on from where only these names are surely set."""
        self._walk.stored = set(stored)
        self._walk.follow_own_anew()

    def _joined(self, *others: set[str]) -> None:
        for other in others:
            self._found.stores |= self._walk.stored | other
            self._back_to(self._walk.stored & other)

    def _try(self, node: Any) -> None:  # Any: ast.Try and ast.TryStar are alike
        before = set(self._walk.stored)
        self._body([*node.body, *node.orelse])
        ends = [self._walk.stored]
        for handler in node.handlers:
            self._back_to(before)
            self._expressions([handler.type])
            self._set(handler.name)
            self._body(handler.body)
            if not leaves(handler.body):
                ends.append(self._walk.stored)
        self._back_to(ends[0])
        self._joined(*ends[1:])
        self._body(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self._expression(node.subject)
        before, ends = set(self._walk.stored), []
        for case in node.cases:
            self._back_to(before)
            self._pattern(case.pattern)
            self._expressions([case.guard])
            self._body(case.body)
            ends.append(self._walk.stored)
        self._back_to(ends.pop() if takes_all(node.cases[-1]) else before)
        self._joined(*ends)

    def _pattern(self, pattern: ast.pattern) -> None:
        for part in ast.walk(pattern):
            if isinstance(part, ast.expr):
                self._expression(part)
            for attribute in ("name", "rest"):
                self._set(getattr(part, attribute, None))

    def _function(self, node: Any) -> None:  # Any: FunctionDef, AsyncFunctionDef
        arguments = node.args
        self._expressions([*node.decorator_list, *arguments.defaults])
        self._expressions([*arguments.kw_defaults, node.returns])
        self._expressions(a.annotation for a in arguments_of(arguments))
        code = self._code_of(node)
        if code is not None:
            self._walk.own(node.name, code)
            if node.decorator_list:  # it may be called, or kept, by what decorates it
                self._walk.follow(code)
        self._set(node.name)

    def _class(self, node: ast.ClassDef) -> None:
        self._expressions([*node.decorator_list, *node.bases])
        self._expressions(keyword.value for keyword in node.keywords)
        self._found.derives |= bool(node.bases)
        # The body's own names are its own; what it sets of the cell's it cannot.
        inner = _ClassWalk(self)
        inner.body(node.body)
        self._walk.own_class(node.name, inner.methods)
        self._set(node.name)

    def _import(self, node: Any) -> None:  # Any: ast.Import, ast.ImportFrom
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            self._found.imports.add(module)
            for alias in node.names:
                self._found.imports.add(f"{module}.{alias.name}")
                self._set(None if alias.name == "*" else alias.asname or alias.name)
            return
        for alias in node.names:
            self._found.imports.add(alias.name)
            self._set(alias.asname or alias.name.partition(".")[0])

    # ---- expressions

    def _expressions(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            self._expression(node)

    def _expression(self, node: ast.AST | None) -> None:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self._load(node.id)
            else:
                self._set(node.id)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                self._found.strings.add(node.value)
        elif isinstance(node, ast.Attribute):
            self._expression(node.value)
            self._walk.attribute(node.attr)
        elif isinstance(node, ast.NamedExpr):
            self._expression(node.value)
            self._set(node.target.id)
        elif isinstance(node, ast.BoolOp):
            self._expression(node.values[0])
            self._maybe(lambda: self._expressions(node.values[1:]))
        elif isinstance(node, ast.IfExp):
            self._expression(node.test)
            self._maybe(lambda: self._expression(node.body))
            self._maybe(lambda: self._expression(node.orelse))
        elif isinstance(node, ast.Lambda):
            self._lambda(node)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif node is not None:
            self._expressions(ast.iter_child_nodes(node))

    def _load(self, name: str) -> None:
        seen = name in self._walk.reads.names
        self._walk.load(name)
        if not seen and name in self._found.stores:
            self._found.soft.add(name)

    def _call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        first = node.args[0] if node.args else None
        if name in _RUN_TEXT and isinstance(first, ast.Constant):
            self._text(first.value)
        else:
            self._expression(node.func)
        self._expressions(node.args)
        self._expressions(keyword.value for keyword in node.keywords)
        if name in _SETTERS and first is not None:
            self._patch(first)
        self._magic(node)

    def _magic(self, node: ast.Call) -> None:
        """`!cmd {x}`, `%cd $folder`: what they name is read; what runs is not seen."""
        found = magic_of(node)
        if found is not None:
            self._found.everything |= found.may_read_all
            for text in found.expanded:
                self._text(text.strip())

    def _text(self, text: object) -> None:
        """`exec("y = x")` with its text written out is read like the cell."""
        if isinstance(text, str):
            try:
                inner = reparse(text).body
            except (SyntaxError, ValueError):
                return
            self._maybe(lambda: self._body(inner))

    def _lambda(self, node: ast.Lambda) -> None:
        self._expressions([*node.args.defaults, *node.args.kw_defaults])
        own = {argument.arg for argument in arguments_of(node.args)}
        self._hidden(own, lambda: self._expression(node.body))

    def _comprehension(self, node: Any) -> None:  # Any: four kinds with generators
        own: set[str] = set()

        def run() -> None:
            for at, generator in enumerate(node.generators):
                if at:
                    self._expression(generator.iter)
                own.update(names_in(generator.target))
                self._walk.stored |= own
                self._expressions(generator.ifs)
            parts = ("elt", "key", "value")
            self._expressions(getattr(node, part, None) for part in parts)

        self._expression(node.generators[0].iter)
        self._hidden(own, run)

    def _hidden(self, own: set[str], run: Callable[[], None]) -> None:
        """Run with names that are not the cell's; a walrus within may not happen."""
        before = set(self._walk.stored)
        self._walk.stored |= own
        run()
        self._found.stores |= self._walk.stored - own
        self._back_to(before)

    # ---- names that are set

    def _target(self, node: ast.expr | None) -> None:
        if isinstance(node, ast.Name):
            self._set(node.id)
        elif isinstance(node, ast.Tuple | ast.List):
            for part in node.elts:
                self._target(part)
        elif isinstance(node, ast.Starred):
            self._target(node.value)
        elif isinstance(node, ast.Attribute):
            self._patch(node.value)
            self._expression(node.value)
            self._walk.attribute(node.attr)
        elif node is not None:
            self._expressions(ast.iter_child_nodes(node))

    def _load_target(self, node: ast.expr) -> None:
        """An augmented assignment reads what it sets."""
        if isinstance(node, ast.Name):
            self._load(node.id)

    def _delete(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._load(node.id)
            self._set(node.id)
        else:
            self._target(node)

    def _patch(self, node: ast.expr) -> None:
        """`torch.nn.Linear.forward = ...`: the module or class that is changed."""
        self._found.patched.add(ast.unparse(node))

    def _set(self, name: str | None) -> None:
        if name is not None:
            self._walk.stored.add(name)

    def _code_of(self, node: Any) -> types.CodeType | None:
        first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
        return self._codes.get((node.name, first))


class _ClassWalk:
    """The body of a class of the cell: its names are its own, it runs at once."""

    def __init__(self, outer: _CellWalk) -> None:
        self._outer = outer
        self.methods: list[types.CodeType] = []

    def body(self, body: list[ast.stmt]) -> None:
        """Walk the body; its methods are collected."""
        outer = self._outer
        before = set(outer._walk.stored)
        for node in body:
            if isinstance(node, _FUNCTIONS):
                code = outer._code_of(node)
                if code is not None:
                    self.methods.append(code)
                outer._expressions([*node.decorator_list, *node.args.defaults])
                outer._expressions([*node.args.kw_defaults, node.returns])
                outer._set(node.name)
            else:
                outer._statement(node)
        outer._walk.stored = before
