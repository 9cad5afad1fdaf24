"""Reads one scope of a syntax tree into a `Scope`; never runs or changes anything."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import cast

from nbtrack.capture.watch_hints import (
    HISTORIES,
    bare_series,
    container_name,
    hints_of,
    is_guessed,
    is_quantity,
)
from nbtrack.capture.watch_names import entry_name, says_metric, series_name
from nbtrack.capture.watch_scopes import (
    ForLoop,
    Function,
    Loop,
    Loops,
    Note,
    Path,
    Reference,
    Scope,
    Slot,
    Style,
    bare_name,
    last_name,
    loop_of,
    slot_value,
    while_counters,
)
from nbtrack.capture.watch_style import (
    logs_by_hand,
    names_in,
    names_returned,
    pairs_of,
    style_of,
    style_of_value,
)
from nbtrack.capture.watch_told import values_told

_LISTS_OF_RECORDS_TEXT = """
    history hist log logs results metrics records record rows stats track trace
    progress report table
"""
_LISTS_OF_RECORDS = frozenset(_LISTS_OF_RECORDS_TEXT.split())
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_CONTAINERS = (
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.Lambda,
    ast.JoinedStr,
    *_COMPREHENSIONS,
)
_REDUCTIONS = frozenset({"sum", "abs", "max", "min", "len", "pow"})
_NO_RESULTS = (ast.Constant, *_CONTAINERS)


def read_scope(
    node: ast.Module | Function,
    *,
    asked: Collection[str] = (),
    prefix: str = "",
    class_name: str | None = None,
) -> Scope:
    """All notes, loops, references and inner functions of a cell or function.

    >>> scope = read_scope(ast.parse("for i in range(3): loss = f(i)"))
    >>> [(note.name, note.loops[0].counter) for note in scope.notes]
    [('loss', 'i')]
    """
    name = "" if isinstance(node, ast.Module) else node.name
    scope = Scope(node, name, prefix + name, class_name)
    scope.hints = hints_of(node)
    _Reader(scope, frozenset(asked)).read_block(node.body, (), ())
    scope.logs = any(logs_by_hand(inner) for inner in ast.walk(node))
    return scope


# The statement, the list it stands in, the way there, the loops around it.
Place = tuple[ast.stmt, list[ast.stmt], Path, Loops]


class _Reader:
    def __init__(self, scope: Scope, asked: frozenset[str]) -> None:
        self.scope = scope
        self.asked = asked
        self._hints = scope.hints
        self._here: tuple[ast.stmt, list[ast.stmt], Path]  # the statement being read

    # -- statements ------------------------------------------------------------------

    def read_block(self, block: list[ast.stmt], path: Path, loops: Loops) -> None:
        for index, statement in enumerate(block):
            here = (*path, (id(block), index))
            self._read_statement(statement, block, here, loops)

    def _read_statement(
        self, node: ast.stmt, block: list[ast.stmt], path: Path, loops: Loops
    ) -> None:
        self._here = (node, block, path)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._read_function(node, loops)
            case ast.ClassDef():
                self._read_class(node, loops)
            case ast.For() | ast.AsyncFor():
                self._read_for(node, block, path, loops)
            case ast.While():
                self._read_while(node, block, path, loops)
            case _:
                self._read_plain(node, block, path, loops)

    def _read_function(self, node: Function, loops: Loops) -> None:
        for expression in (*node.decorator_list, *node.args.defaults):
            self._refer(expression, loops)
        prefix = f"{self.scope.qualname}.<locals>." if self.scope.qualname else ""
        self._add_function(node, prefix, None)

    def _read_class(self, node: ast.ClassDef, loops: Loops) -> None:
        self.scope.classes.add(node.name)
        for expression in (*node.decorator_list, *node.bases):
            self._refer(expression, loops)
        outer = f"{self.scope.qualname}.<locals>." if self.scope.qualname else ""
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                self._add_function(inner, f"{outer}{node.name}.", node.name)

    def _add_function(
        self, node: Function, prefix: str, class_name: str | None
    ) -> None:
        self.scope.functions.append(
            read_scope(node, asked=self.asked, prefix=prefix, class_name=class_name)
        )

    def _enter(
        self, node: ForLoop | ast.While, block: list[ast.stmt], path: Path, loops: Loops
    ) -> Loop:
        loop = loop_of(node)
        loop.block, loop.index = block, path[-1][1]
        loop.is_outermost = not loops
        self.scope.loops.append(loop)
        return loop

    def _read_for(
        self, node: ForLoop, block: list[ast.stmt], path: Path, loops: Loops
    ) -> None:
        loop = self._enter(node, block, path, loops)
        self._refer(node.iter, loops)
        for name in names_in(node.target):
            if name in self.asked:
                read = ast.Name(name, ast.Load())
                place = (node, node.body, path, (*loops, loop))
                self._note_name(name, "value", place)
                self.scope.notes[-1].after, self.scope.notes[-1].read = -1, read
        self.read_block(node.body, path, (*loops, loop))
        self.read_block(node.orelse, path, loops)

    def _read_while(
        self, node: ast.While, block: list[ast.stmt], path: Path, loops: Loops
    ) -> None:
        loop = self._enter(node, block, path, loops)
        loop.counter = while_counters(node, block[: path[-1][1]])
        self._refer(node.test, (*loops, loop))
        self.read_block(node.body, path, (*loops, loop))
        self.read_block(node.orelse, path, loops)

    def _read_plain(
        self, node: ast.stmt, block: list[ast.stmt], path: Path, loops: Loops
    ) -> None:
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                self._refer(value, loops)
            elif isinstance(value, list):
                self._read_list(field, value, path, loops)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr):
            self._note_values(node, block, path, loops)
        elif isinstance(node, ast.Return):
            self.scope.returned.update(names_returned(node.value))
        elif isinstance(node, ast.Delete):
            self.scope.unsafe.update(n for t in node.targets for n in names_in(t))

    def _read_list(
        self, field: str, value: list[ast.AST], path: Path, loops: Loops
    ) -> None:
        if value and isinstance(value[0], ast.stmt):
            self.read_block(cast(list[ast.stmt], value), path, loops)
            return
        for item in value:
            if isinstance(item, ast.ExceptHandler | ast.match_case):
                if isinstance(item, ast.ExceptHandler) and item.name:
                    self.scope.unsafe.add(item.name)
                self.read_block(item.body, path, loops)
            elif isinstance(item, ast.withitem):
                self._refer(item.context_expr, loops)
            elif isinstance(item, ast.expr):
                self._refer(item, loops)

    # -- names that are read ---------------------------------------------------------

    def _refer(self, node: ast.AST, loops: Loops) -> None:
        if isinstance(node, _COMPREHENSIONS):
            loops = (*loops, Loop(node))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self.scope.references.append(Reference(node.id, False, loops))
        elif isinstance(node, ast.Attribute):
            self.scope.references.append(Reference(node.attr, True, loops))
        elif isinstance(node, ast.NamedExpr) and says_metric(node.target.id):
            self._note_slot(node.target.id, (node, "value"), (*self._here, loops))
        for child in ast.iter_child_nodes(node):
            self._refer(child, loops)

    # -- values ----------------------------------------------------------------------

    def _note_values(
        self,
        node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr,
        block: list[ast.stmt],
        path: Path,
        loops: Loops,
    ) -> None:
        if isinstance(node, ast.Expr):
            self._note_append(node, block, path, loops)
            sums, means = self.scope.accumulated, self.scope.divided
            for told, slot in values_told(node, sums, means):
                self._note_slot(told, slot, (node, block, path, loops), is_told=True)
            return
        if node.value is None:
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        place = (node, block, path, loops)
        for target in targets:
            self._note_target(target, place)
        if not isinstance(node, ast.AugAssign):
            self._note_record(node.value, place, last_name(targets[0]))
            self._note_comprehension(targets[0], place)

    def _note_target(self, target: ast.expr, place: Place) -> None:
        node = place[0]
        assert isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for one, value in pairs_of(target, node.value):
            if isinstance(one, ast.Starred) or isinstance(value, _CONTAINERS):
                continue
            if isinstance(one, ast.Name):
                self._note_name(one.id, _style(one.id, node, target, value), place)
            elif one is target and not isinstance(node, ast.AugAssign):
                self._note_kept(target, (node, "value"), place)

    def _note_name(self, name: str, style: Style, place: Place) -> None:
        node, block, path, loops = place
        asked, says = name in self.asked, says_metric(name)
        if style == "accumulate":
            self.scope.accumulated.add(name)
        elif style == "divide":
            self.scope.divided.add(name)
        if not (asked or says or name in self._hints.losses):
            return
        note = Note(name, name, style, path, loops, node, block, asked=asked)
        note.read, note.after = ast.Name(name, ast.Load()), path[-1][1]
        note.source = bare_name(getattr(node, "value", None))
        note.is_guess = not (asked or says)
        self.scope.notes.append(note)

    def _note_kept(self, container: ast.expr, slot: Slot, place: Place) -> bool:
        """A value put into a list, an entry or an attribute with a telling name."""
        name = container_name(container, self._hints, place[3])
        if name is None:
            return False
        if not (is_guessed(container) and _is_counter(slot_value(*slot), place[3])):
            self._note_slot(name, slot, place)
        return True

    def _note_append(
        self, node: ast.Expr, block: list[ast.stmt], path: Path, loops: Loops
    ) -> None:
        call = node.value
        if not (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "append"
            and len(call.args) == 1
            and not call.keywords
            and not isinstance(call.args[0], ast.Starred)
        ):
            return
        place = (node, block, path, loops)
        if self._note_kept(call.func.value, (call.args, 0), place):
            return
        if not self._note_record(call.args[0], place):
            self._note_unnamed(call, place)

    def _note_unnamed(self, call: ast.Call, place: Place) -> None:
        """`history.append(loss.item())`: the value's own name says what it is."""
        assert isinstance(call.func, ast.Attribute)
        kept_in = last_name(call.func.value) or ""
        name = bare_name(call.args[0])
        says = name and says_metric(name)
        if name and kept_in.lower() in HISTORIES:
            says = says or name not in self.scope.accumulated
            says = says and not _is_counter(call.args[0], place[3])
        if name and says and kept_in.lower() in _LISTS_OF_RECORDS:
            self._note_slot(name, (call.args, 0), place)

    def _note_record(
        self, value: ast.expr, place: Place, kept_in: str | None = None
    ) -> bool:
        """The entries of `{"epoch": 3, "val_loss": x}` or `dict(val_loss=x)`."""
        if isinstance(value, ast.Dict):
            base = kept_in if kept_in and is_quantity(kept_in) else None
            for index, key in enumerate(value.keys):
                name = key.value if isinstance(key, ast.Constant) else None
                if isinstance(name, str) and (base or says_metric(name)):
                    name = entry_name(base, name) if base else name
                    self._note_slot(name, (value.values, index), place, kept_in=kept_in)
            return True
        if isinstance(value, ast.Call) and last_name(value.func) == "dict":
            for keyword in value.keywords:
                if keyword.arg and says_metric(keyword.arg):
                    self._note_slot(keyword.arg, (keyword, "value"), place)
            return True
        return False

    def _note_comprehension(self, target: ast.expr, place: Place) -> None:
        """`losses = [train_step(x) for x in batches]`, where it is the only loop."""
        node, block, path, loops = place
        assert isinstance(node, ast.Assign | ast.AnnAssign)
        made = node.value
        if not isinstance(made, ast.ListComp) or loops:
            return
        name = container_name(target, self._hints, loops)
        step = made.elt
        if name is None or not isinstance(step, ast.Call) or bare_name(step):
            return
        if last_name(step.func) in _REDUCTIONS:
            return  # `scores = [sum(x) for x in samples]` are values of samples
        if not self.scope.is_cell and last_name(target) not in self._hints.handed:
            return  # the losses of one batch, on the way to one number
        comprehension = Loop(made, label=None)
        place = (node, block, path, (comprehension,))
        self._note_slot(name, (made, "elt"), place)

    def _note_slot(
        self,
        raw: str,
        slot: Slot,
        place: Place,
        *,
        is_told: bool = False,
        kept_in: str | None = None,
    ) -> None:
        node, block, path, loops = place
        says, value = series_name(raw), slot_value(*slot)
        if isinstance(value, _NO_RESULTS):
            return  # `hist["loss"] = []` starts a list
        asked = raw in self.asked or says in self.asked
        name = says or bare_series(raw)
        note = Note(name, raw, "value", path, loops, node, block, asked=asked)
        note.slot, note.source, note.kept_in = slot, bare_name(value), kept_in
        note.is_guess, note.is_told = is_told or not (asked or says), is_told
        self.scope.notes.append(note)


def _is_counter(value: ast.expr, loops: Loops) -> bool:
    """`epochs.append(epoch)`: plotted as well, but no curve."""
    name = bare_name(value)
    return name is not None and name in {loop.counter for loop in loops}


def _style(
    name: str,
    node: ast.Assign | ast.AnnAssign | ast.AugAssign,
    target: ast.expr,
    value: ast.expr | None,
) -> Style:
    """Of one target of a statement; what a call gives to several is fresh."""
    if isinstance(target, ast.Name):
        return style_of(name, node)
    return "fresh" if value is None else style_of_value(name, value)
