"""Literal arguments of the cell's calls: `train(model, lr=0.01, epochs=5)`.

Followed are functions and classes of the notebook, with the defaults in force; seeds;
and the few library calls whose arguments people note. Two calls of a function that
disagree about an argument say nothing about it. Signatures are read, never called.
"""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nbtrack.capture.accumulators import is_null, is_tracked_name
from nbtrack.capture.cell import CellFacts, read_body
from nbtrack.capture.evaluate import NO_DEFAULT, Known, dotted, known_or
from nbtrack.capture.inherited import is_simple
from nbtrack.capture.objects import is_described_class
from nbtrack.capture.reread import reparse
from nbtrack.capture.survey import Definition

MAX_FOLLOWED = 20  # functions of one cell whose bodies are looked into
Sources = Callable[[str], str | None]
_SEEDS = frozenset(
    {"manual_seed", "manual_seed_all", "seed", "seed_everything", "set_seed"}
)
_SEEDS_LIKE = frozenset({"default_rng", "RandomState", "set_random_seed", "fix_seed"})
# Their literal arguments are settings, wherever they come from.
_NOTED = frozenset(
    {"train_test_split", "cross_val_score", "cross_validate", "make_classification"}
    | {"make_regression", "make_moons", "make_circles", "make_blobs", "random_split"}
    | {"clip_grad_norm_", "clip_grad_value_", "fit", "compile", "make_friedman1"}
)
_POSITIONAL = {
    "clip_grad_norm_": ("", "max_norm"),
    "clip_grad_value_": ("", "clip_value"),
}
_EVERYTHING = "**"
# How a call talks, not what it does.
_TALK = frozenset(
    {"verbose", "verbosity", "progress", "plot", "show", "desc", "title", "legend"}
    | {"xlabel", "ylabel", "xlim", "ylim", "xscale", "yscale", "figsize", "fmts"}
)
_PARTS = frozenset({"split", "phase"})  # of the data: one training goes through all


@dataclass(frozen=True, slots=True)
class CallParam:
    """One argument that a call states, under the name the function gives it."""

    function: str
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Signature:
    names: tuple[str, ...]  # positional ones, without self
    defaults: dict[str, Any]


def call_literals(
    facts: CellFacts, namespace: Mapping[str, Any], sources: Sources
) -> list[CallParam]:
    r"""What the calls at the cell's own level state, and the functions they reach.

    >>> from nbtrack.capture.cell import read_cell
    >>> facts = read_cell(ast.parse("def f(lr=1, n=2): ...\nf(lr=0.5)"), {})
    >>> [(p.name, p.value) for p in call_literals(facts, {}, lambda filename: None)]
    [('lr', 0.5), ('n', 2)]
    """
    calls = _Calls(namespace, sources)
    calls.look(facts)
    return calls.told()


class _Calls:
    def __init__(self, namespace: Mapping[str, Any], sources: Sources) -> None:
        self._namespace = namespace
        self._sources = sources
        self._stated: dict[tuple[str, str], list[Any]] = {}
        self._bodies: dict[tuple[str, str], Any] = {}
        self._functions: dict[str, Definition] = {}
        self._classes: dict[str, ast.ClassDef] = {}
        self._followed: set[str] = set()

    def look(self, facts: CellFacts) -> None:
        self._functions |= facts.found.functions
        self._classes |= facts.found.classes
        for call, _ in facts.found.calls:
            name = dotted(call.func)
            if name is None or name in facts.known.records:
                continue
            signature = self._signature(name, facts)
            if signature is not None:
                self._bind(name, call, signature, facts)
                self._follow(name, call, facts)
            else:
                self._library(name, call, facts)

    def told(self) -> list[CallParam]:
        kept: dict[str, CallParam] = {}
        for (function, name), values in self._stated.items():
            if all(_same(value, values[0]) for value in values):
                kept.setdefault(name, CallParam(function, name, values[0]))
        for (function, name), value in self._bodies.items():
            kept.setdefault(name, CallParam(function, name, value))
        return list(kept.values())

    # ---- functions of the notebook

    def _signature(self, name: str, facts: CellFacts) -> _Signature | None:
        if name in self._functions:
            return _of_definition(self._functions[name])
        if name in self._classes:
            return self._of_class(name, facts)
        if name in facts.found.stores and "." not in name:
            return None  # the cell rebinds it: the namespace holds something else
        return self._of_value(self._resolved(name, facts))

    def _of_class(self, name: str, facts: CellFacts) -> _Signature | None:
        """The `__init__` of a class of the cell, or the one that it inherits."""
        node = self._classes[name]
        own = _of_class_definition(node)
        bases = [] if own else [dotted(base) for base in node.bases]
        known = (self._signature(b, facts) for b in bases if b and b != name)
        return own or next((found for found in known if found), None)

    def _resolved(self, name: str, facts: CellFacts) -> object:
        base, *parts = name.split(".")
        value = self._namespace.get(base)
        if len(parts) == 1 and type(value).__module__ == self._home():
            return getattr(type(value), parts[0], None)
        return None if parts else value

    def _home(self) -> str:
        return str(self._namespace.get("__name__", "__main__"))

    def _of_value(self, value: object) -> _Signature | None:
        if isinstance(value, type) and value.__module__ == self._home():
            inits = (vars(base).get("__init__") for base in value.__mro__)
            value = next((init for init in inits if init is not None), None)
        value = getattr(value, "__wrapped__", value)
        if not isinstance(value, types.FunctionType):
            return None
        return _of_function(value) if value.__globals__ is self._namespace else None

    def _bind(
        self, name: str, call: ast.Call, signature: _Signature, facts: CellFacts
    ) -> None:
        function = name.rpartition(".")[2]
        given: set[str] = set()
        for parameter, argument in zip(signature.names, call.args, strict=False):
            if isinstance(argument, ast.Starred):
                return
            given.add(parameter)
            self._argument(function, parameter, argument, facts)
        for keyword in call.keywords:
            if keyword.arg is not None:
                given.add(keyword.arg)
                self._argument(function, keyword.arg, keyword.value, facts)
            else:
                given |= self._unpacked(keyword.value, facts)
        if _EVERYTHING not in given:
            for parameter, default in signature.defaults.items():
                if parameter not in given and default is not None:
                    self._state(function, parameter, default)

    def _unpacked(self, node: ast.expr, facts: CellFacts) -> set[str]:
        """The keys of `**config`; where they are not known, any could be among them."""
        held = known_or(node, facts.known)
        if held is NO_DEFAULT and isinstance(node, ast.Name):
            held = self._namespace.get(node.id)
        return set(held) if isinstance(held, dict) else {_EVERYTHING}

    def _argument(
        self, function: str, name: str, node: ast.expr, facts: CellFacts
    ) -> None:
        """An argument that is a name is that name's param, not another one."""
        if isinstance(node, ast.Name | ast.Attribute):
            self._stated.setdefault((function, name), []).append(NO_DEFAULT)
            return
        self._state(function, name, known_or(node, facts.known))

    def _state(self, function: str, name: str, value: Any) -> None:
        if name.startswith("_") or name in _TALK or name in _PARTS:
            return
        self._stated.setdefault((function, name), []).append(value)

    def _follow(self, name: str, call: ast.Call, facts: CellFacts) -> None:
        """Literals and loop bounds in the body of a function that the cell calls."""
        if name in self._followed or len(self._followed) >= MAX_FOLLOWED:
            return
        self._followed.add(name)
        definition = self._functions.get(name) or self._definition(name)
        if definition is None:
            return
        body = read_body(definition.body, Known(hidden=set(facts.found.stores)))
        for told in (body.literals, body.bounds):
            for inner, value in told.items():
                if not inner.startswith("_") and not is_null(value):
                    self._bodies.setdefault((name, inner), value)
        for variable, value in body.made.items():
            self._made_inside(name, variable, value)
        self.look(body)

    def _made_inside(self, function: str, variable: str, value: ast.expr) -> None:
        """`opt = SGD(..., momentum=0.9)` in a function: no namespace shows it."""
        if not isinstance(value, ast.Call):
            return
        kind = self._library_class(dotted(value.func))
        if not is_described_class(kind):
            return
        self._bodies.setdefault((function, variable), getattr(kind, "__name__", ""))
        for keyword in value.keywords:
            told = known_or(keyword.value, Known())
            if keyword.arg is not None and told is not NO_DEFAULT:
                self._bodies.setdefault((function, f"{variable}.{keyword.arg}"), told)

    def _library_class(self, name: str | None) -> object:
        base, *parts = (name or "").split(".")
        found: object = self._namespace.get(base)
        for part in parts:
            if not isinstance(found, types.ModuleType):
                return None
            found = vars(found).get(part)
        return found

    def _definition(self, name: str) -> Definition | None:
        """The text of a function that an earlier cell defined."""
        function = self._namespace.get(name)
        if not isinstance(function, types.FunctionType):
            return None
        if function.__globals__ is not self._namespace:
            return None
        filename = function.__code__.co_filename
        # IPython keeps the text of every cell in linecache, for its tracebacks.
        source = self._sources(filename) or "".join(linecache.getlines(filename))
        try:
            body = reparse(source).body
        except SyntaxError:
            return None
        for node in body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name == function.__name__:
                return node
        return None

    # ---- library calls

    def _library(self, name: str, call: ast.Call, facts: CellFacts) -> None:
        last = name.rpartition(".")[2]
        if (
            (last in _SEEDS and "." in name)
            or last in _SEEDS_LIKE
            or last in _SEEDS - {"seed"}
        ):
            if call.args:
                self._state(name, "seed", known_or(call.args[0], Known()))
        elif last in _NOTED:
            for keyword in call.keywords:
                if keyword.arg is not None and keyword.arg not in _TALK:
                    value = known_or(keyword.value, Known())
                    self._state(last, _library_name(last, keyword.arg), value)
            for key, argument in zip(
                _POSITIONAL.get(last, ()), call.args, strict=False
            ):
                if key:
                    self._state(last, f"{last}.{key}", known_or(argument, Known()))


def _library_name(function: str, key: str) -> str:
    return key if function in ("fit", "compile") else f"{function}.{key}"


def _same(value: object, other: object) -> bool:
    if value is NO_DEFAULT or other is NO_DEFAULT:
        return False
    return type(value) is type(other) and value == other


def _of_function(function: types.FunctionType) -> _Signature:
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    values = function.__defaults__ or ()
    defaults = dict(zip(names[len(names) - len(values) :], values, strict=True))
    defaults |= function.__kwdefaults__ or {}
    return _Signature(_without_self(names), _scalars(defaults))


def _of_definition(node: Definition) -> _Signature:
    arguments = [*node.args.posonlyargs, *node.args.args]
    names = tuple(argument.arg for argument in arguments)
    values = [known_or(default, Known()) for default in node.args.defaults]
    defaults = dict(zip(names[len(names) - len(values) :], values, strict=True))
    for argument, default in zip(
        node.args.kwonlyargs, node.args.kw_defaults, strict=True
    ):
        if default is not None:
            defaults[argument.arg] = known_or(default, Known())
    return _Signature(_without_self(names), _scalars(defaults))


def _of_class_definition(node: ast.ClassDef) -> _Signature | None:
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return _of_definition(inner)
    return None


def _without_self(names: tuple[str, ...]) -> tuple[str, ...]:
    return names[1:] if names[:1] in (("self",), ("cls",)) else names


def _scalars(defaults: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in defaults.items()
        if is_simple(value) and not (is_tracked_name(name) and is_null(value))
    }
