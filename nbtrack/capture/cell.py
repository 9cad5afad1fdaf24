"""What a cell states by itself: literals, loop bounds, records, names worth a look later.

Reads the syntax in the order of the text, as a person would: a value is a param where it
is written out, a branch counts where its test is known, what a loop changes is a series.
Nothing of the cell is executed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.capture.accumulators import is_accumulator, is_null, is_tracked_name
from nbtrack.capture.evaluate import (
    NO_DEFAULT,
    PURE_BUILTINS,
    Known,
    dotted,
    evaluate,
    known_or,
)
from nbtrack.capture.loops import for_bounds, while_bounds
from nbtrack.capture.survey import Place, Survey, parts_of, survey

_PURE_CALLS = frozenset(
    {"torch.device", "torch.cuda.is_available", "torch.backends.mps.is_available"}
    | {"torch.cuda.device_count", "os.cpu_count", "os.environ.get", "os.getenv", "Path"}
    | {"pathlib.Path", "isinstance", "np.sqrt", "np.log", "np.log2", "np.log10"}
    | {"torch.accelerator.is_available", "torch.get_default_dtype", "device"}
)
_PURE_MODULES = ("math.", "operator.")
_SHAPES = frozenset({"shape", "size", "ndim", "numel", "n_features_in_"})
_RECORD_BASES = frozenset({"NamedTuple", "typing.NamedTuple", "BaseModel", "object"})


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
    """The facts of a parsed cell.

    >>> read_cell(ast.parse("lr = 1e-3\\nfor epoch in range(10): pass"), {}).literals
    {'lr': 0.001}
    """
    return read_body(tree.body, Known(outer=namespace))


def read_body(body: list[ast.stmt], known: Known) -> CellFacts:
    """The facts of a list of statements, with what is known before them.

    >>> read_body(ast.parse("n = 2 * k").body, Known(values={"k": 3})).literals
    {'n': 6}
    """
    facts = CellFacts(survey(body), known=known)
    _Reader(facts).statements(body, sure=True)
    for name in [name for name in facts.literals if name in facts.maybe]:
        del facts.maybe[name]
    return facts


class _Reader:
    def __init__(self, facts: CellFacts) -> None:
        self._facts = facts
        self._found = facts.found
        self._known = facts.known
        self._set_at: dict[str, Place] = {}

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
        if is_accumulator(name, result, self._found):
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
        if once and not is_tracked_name(name) and self._is_pure(value):
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

    def _is_pure(self, node: ast.expr) -> bool:
        """Made of constants, params, operators, pure calls: an input, not a result."""
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Name):
            return self._is_param(node.id)
        if isinstance(node, ast.Attribute):
            return _is_shape(node) or self._is_pure_attribute(node)
        if isinstance(node, ast.Subscript):
            return self._is_pure(node.value) and self._is_pure(node.slice)
        if isinstance(node, ast.Call):
            return self._is_pure_call(node)
        if isinstance(node, ast.JoinedStr | ast.FormattedValue | ast.IfExp | ast.BinOp):
            return self._all_pure(node)
        if isinstance(
            node, ast.UnaryOp | ast.BoolOp | ast.Compare | ast.Tuple | ast.List
        ):
            return self._all_pure(node)
        return False

    def _all_pure(self, node: ast.expr) -> bool:
        children = ast.iter_child_nodes(node)
        return all(self._is_pure(c) for c in children if isinstance(c, ast.expr))

    def _is_param(self, name: str) -> bool:
        facts = self._facts
        if name in facts.literals or name in facts.computed or name in facts.maybe:
            return True
        if name in self._found.stores:
            return False
        return is_simple(self._known.outer.get(name, NO_DEFAULT))

    def _is_pure_attribute(self, node: ast.Attribute) -> bool:
        name = dotted(node)
        if name is None:
            return False
        if isinstance(known_or(node, Known()), float):
            return True  # math.inf and its like
        base = name.partition(".")[0]
        return (
            self._is_param(base)
            or (base in self._known.outer
            and is_record(self._known.outer[base]))
        )

    def _is_pure_call(self, node: ast.Call) -> bool:
        name = dotted(node.func)
        if name is None:
            return False
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name == "len":  # the length of anything but a list of results is an input
            return not any(
                isinstance(part, ast.Name) and is_tracked_name(part.id)
                for part in ast.walk(node)
            )
        if name.rpartition(".")[2] in ("size", "numel") and "." in name:
            return not any(is_tracked_name(part) for part in name.split("."))
        pure = name in PURE_BUILTINS or name in _PURE_CALLS
        return (pure or name.startswith(_PURE_MODULES)) and all(
            self._is_pure(argument) for argument in arguments
        )

    # ---- branches and loops

    def _if(self, node: ast.If, sure: bool) -> None:
        test = known_or(node.test, self._known) if sure else NO_DEFAULT
        if test is not NO_DEFAULT:
            self.statements(node.body if test else node.orelse, sure=sure)
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


def fields_of(node: ast.ClassDef, known: Known) -> dict[str, Any] | None:
    """The fields of a class of settings with their defaults; None for other classes.

    >>> fields_of(ast.parse("class C:\\n lr = 0.1\\n n: int = 3").body[0], Known())
    {'lr': 0.1, 'n': 3}
    """
    if any((dotted(base) or "") not in _RECORD_BASES for base in node.bases):
        return None
    fields: dict[str, Any] = {}
    inner = Known(values=dict(known.values), records=known.records, outer=known.outer)
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(
            statement.target, ast.Name
        ):
            name, value = statement.target.id, _field_value(statement.value)
        elif isinstance(statement, ast.Assign) and isinstance(
            statement.targets[0], ast.Name
        ):
            name, value = statement.targets[0].id, statement.value
        elif isinstance(statement, ast.FunctionDef) and not node.decorator_list:
            return None
        else:
            continue
        fields[name] = NO_DEFAULT if value is None else known_or(value, inner)
        if fields[name] is not NO_DEFAULT:
            inner.values[name] = fields[name]
    return fields or None


def _field_value(value: ast.expr | None) -> ast.expr | None:
    """The default inside `field(default=...)` or `field(default_factory=lambda: ...)`."""
    if not isinstance(value, ast.Call) or (dotted(value.func) or "")[-5:] != "field":
        return value
    for keyword in value.keywords:
        if keyword.arg == "default":
            return keyword.value
        if keyword.arg == "default_factory" and isinstance(keyword.value, ast.Lambda):
            return keyword.value.body
        if keyword.arg == "default_factory" and isinstance(keyword.value, ast.Name):
            return ast.Call(func=keyword.value, args=[], keywords=[])
    return None


def is_simple(value: object) -> bool:
    """Numbers, texts and None: what a param can be without a closer look.

    >>> is_simple(3), is_simple([3])
    (True, False)
    """
    return value is None or isinstance(value, int | float | str)


def is_record(value: object) -> bool:
    """Dicts and config objects, whose parts are params.

    >>> is_record({"lr": 0.1}), is_record([1])
    (True, False)
    """
    from nbtrack.capture.values import as_mapping

    return as_mapping(value) is not None


def _is_shape(node: ast.expr) -> bool:
    names = (dotted(node) or "").split(".")
    return names[-1] in _SHAPES and len(names) > 1 and not is_tracked_name(names[0])


def _end(node: ast.expr) -> Place:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


_BLOCKS = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try)
_STATEMENTS = {
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
__all__ = ["CellFacts", "evaluate", "fields_of", "read_body", "read_cell"]
