"""Which names of the namespace a cell reads, by its bytecode and what it reaches.

A name counts when it is loaded before the cell itself has stored it. Functions, classes
and methods defined in the notebook are followed when they are reached, with their
closures, `__wrapped__` and partials; library code is not. Nothing is executed, and no
attribute of a user's object is asked for that could run code of theirs.
"""

from __future__ import annotations

import dis
import functools
import inspect
import types
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.capture.classes import module_of, mro_of, vars_of

_LOAD_NAMES = frozenset({"LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_STORE_NAMES = frozenset({"STORE_NAME", "STORE_GLOBAL", "DELETE_NAME"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"})
_WANTED = (
    _LOAD_NAMES
    | _STORE_NAMES
    | _ATTRIBUTES
    | {"IMPORT_NAME"}
    | {"LOAD_GLOBAL", "LOAD_CONST"}
)
_OPS = {dis.opmap[name]: name for name in _WANTED if name in dis.opmap}
_EXTENDED = dis.opmap["EXTENDED_ARG"]
_WITH_FUNCTION = (types.MethodType, staticmethod, classmethod)
_INSTANT = frozenset({"<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>"})
_GENERIC = "<generic parameters of "  # around `def f[T]` and `class A[T]`
_READS_ALL = frozenset({"globals", "locals", "eval", "exec", "vars"})
MAX_FOLLOWED = 300  # code objects; a notebook has tens


@dataclass(slots=True)
class Reads:
    """What a cell reads, in the order of first reading."""

    names: list[str] = field(default_factory=list)
    functions: dict[str, types.FunctionType] = field(default_factory=dict)
    rebound: set[str] = field(default_factory=set)  # set through `global` in functions
    everything: bool = False  # it calls eval, exec, globals ...


def names_read(
    code: types.CodeType,
    namespace: Mapping[str, Any],
    *,
    soft: Collection[str] = (),
) -> Reads:
    r"""The names that running `code` would read from `namespace`.

    Parameters
    ----------
    code
        The compiled cell.
    soft
        Names that the cell sets only under a condition: a store does not hide them.

    >>> code = compile("y = f(lr)\nlr = 2", "<cell>", "exec")
    >>> names_read(code, {"lr": 0.1, "f": print}).names
    ['f', 'lr']
    """
    walk = Walk(namespace, frozenset(soft))
    walk.cell(code)
    return walk.reads


class Walk:
    """Follows loads into the notebook's functions; one for each look at a cell.

    `stored` is what the cell has surely set at the point that is followed now.

    >>> walk = Walk({"lr": 0.1})
    >>> walk.load("lr")
    >>> walk.reads.names
    ['lr']
    """

    def __init__(
        self, namespace: Mapping[str, Any], soft: frozenset[str] = frozenset()
    ) -> None:
        self.reads = Reads()
        self.stored: set[str] = set()
        self.attributes: set[str] = set()
        self.imports: set[str] = set()  # modules that functions import
        self.strings: set[str] = set()  # texts in functions: names of files, of keys
        self._namespace = namespace
        self._soft = soft
        self._seen: set[int] = set()
        self._names: set[str] = set()
        self._own: dict[str, types.CodeType] = {}  # functions the cell defines
        self._waiting: dict[str, list[types.CodeType]] = {}  # methods by name
        self._n_followed = 0

    def cell(self, code: types.CodeType) -> None:
        """Follow the cell's own code in the order in which it stands."""
        for op, value in operations(code):
            if op == "LOAD_CONST":
                self.define(value)
            elif op in _STORE_NAMES:
                if value not in self._soft:
                    self.stored.add(value)
            elif op in _ATTRIBUTES:
                self.attribute(value)
            elif op != "IMPORT_NAME":
                self.load(value)

    def define(self, value: object) -> None:
        """A def waits until its name is read; a lambda or class body runs at once."""
        if not isinstance(value, types.CodeType):
            return
        if value.co_name.startswith(_GENERIC):
            self.cell(value)
        elif value.co_name in _INSTANT:
            self.follow(value)
        elif not value.co_flags & inspect.CO_NEWLOCALS:
            self.class_body(value)
        else:
            self._own[value.co_name] = value

    def class_body(self, code: types.CodeType) -> None:
        """A class body runs at once; its methods wait until the class is used."""
        own: set[str] = set()
        for op, value in operations(code):
            if op == "LOAD_CONST" and isinstance(value, types.CodeType):
                # Of a class made here all methods count, once the class is used.
                self._waiting.setdefault("class " + code.co_name, []).append(value)
            elif op in _STORE_NAMES:
                own.add(value)
            elif op in _ATTRIBUTES:
                self.attribute(value)
            elif op in ("LOAD_CONST", "IMPORT_NAME"):
                continue
            elif value not in own and value != "__name__":
                self.load(value)

    def load(self, name: str) -> None:
        """A name is loaded: what it stands for is followed."""
        self._reach(name)
        if name in self.stored or name in self._names:
            return
        self._names.add(name)
        self.reads.names.append(name)
        if name in _READS_ALL and name not in self._namespace:
            self.reads.everything = True
        if name in self._namespace:
            self._value(name, self._namespace[name])

    def _reach(self, name: str) -> None:
        """Follow what the cell itself defined under that name."""
        code = self._own.get(name)
        if code is not None:
            self.follow(code)
        for method in self._waiting.pop("class " + name, ()):
            self.follow(method)

    def follow(self, code: types.CodeType) -> None:
        """Read a function's code: its globals count where the cell has not set them."""
        if id(code) in self._seen or self._n_followed >= MAX_FOLLOWED:
            return
        self._seen.add(id(code))
        self._n_followed += 1
        for op, value in operations(code):
            if op == "LOAD_CONST":
                if isinstance(value, types.CodeType):
                    self.follow(value)
                elif isinstance(value, str):
                    self.strings.add(value)
            elif op == "IMPORT_NAME":
                self.imports.add(value)
            elif op == "STORE_GLOBAL":
                self.reads.rebound.add(value)
            elif op in _ATTRIBUTES:
                self.attribute(value)
            elif op not in _STORE_NAMES and value != "__name__":  # each class loads it
                self.load(value)

    def own(self, name: str, code: types.CodeType) -> None:
        """The cell defines a function; it counts when its name is loaded.

        With fewer names surely set than when it was followed before, it counts anew.
        """
        self._own[name] = code
        self._seen.discard(id(code))

    def own_class(self, name: str, methods: list[types.CodeType]) -> None:
        """The cell defines a class: its methods count once its name is loaded."""
        self._waiting.setdefault("class " + name, []).extend(methods)

    def follow_own_anew(self) -> None:
        """Fewer names are surely set than before: the cell's functions count anew.

        >>> Walk({}).follow_own_anew()
        """
        self._seen.difference_update(map(id, self._own.values()))

    def is_waiting(self, code: types.CodeType) -> bool:
        """Whether it is a method that counts only when its name is asked for."""
        return any(code in codes for codes in self._waiting.values())

    def attribute(self, name: str) -> None:
        """An attribute of that name is asked for: methods that wait for it count."""
        if name in self.attributes:
            return
        self.attributes.add(name)
        for code in self._waiting.pop(name, ()):
            self.follow(code)

    def _value(self, name: str, value: object) -> None:
        """Follow a value of the namespace where it is code of the notebook."""
        for function in _functions_in(value):
            self._function(name, function)
        kind: Any = value if issubclass(type(value), type) else type(value)
        if self._is_ours(kind):
            self._class(kind)

    def _function(self, name: str, function: types.FunctionType) -> None:
        if function.__globals__ is not self._namespace:
            return
        self.reads.functions.setdefault(name, function)
        self.follow(function.__code__)
        for cell in function.__closure__ or ():
            for inner in _functions_in(_contents(cell)):
                if inner is not function and id(inner.__code__) not in self._seen:
                    self._function(f"{name}.{inner.__name__}", inner)

    def _class(self, kind: type) -> None:
        """Methods count when their name is used; all do where a library calls them."""
        bases = [base for base in mro_of(kind) if base is not object]
        foreign = any(not self._is_ours(base) for base in bases)
        for base in bases:
            if not self._is_ours(base):
                continue
            for name, member in list(vars_of(base).items()):
                for function in _functions_in(member):
                    self._method(name, function, at_once=foreign)

    def _method(
        self, name: str, function: types.FunctionType, *, at_once: bool
    ) -> None:
        if function.__globals__ is not self._namespace:
            return
        if at_once or name in self.attributes or name.startswith("__"):
            self.follow(function.__code__)
        else:
            self._waiting.setdefault(name, []).append(function.__code__)

    def _is_ours(self, kind: type) -> bool:
        return bool(module_of(kind) == self._namespace.get("__name__", "__main__"))


def operations(code: types.CodeType) -> Iterator[tuple[str, Any]]:
    """The loads and stores of a code object: (operation, name or constant).

    Ten times faster than `dis.get_instructions`, which matters at a cell's start.

    >>> list(operations(compile("a = b", "<cell>", "exec")))[:2]
    [('LOAD_NAME', 'b'), ('STORE_NAME', 'a')]
    """
    names, consts, raw = code.co_names, code.co_consts, code.co_code
    extended = 0
    for at in range(0, len(raw), 2):
        number = raw[at]
        if number == _EXTENDED:
            extended = (extended | raw[at + 1]) << 8
            continue
        op = _OPS.get(number)
        if op is not None:
            argument = (extended | raw[at + 1]) >> _SHIFTS.get(op, 0)
            yield op, (consts if op == "LOAD_CONST" else names)[argument]
        extended = 0


def _functions_in(value: object) -> Iterator[types.FunctionType]:
    """The plain functions behind a function, method, partial or wrapper."""
    for _ in range(8):  # a chain of decorators; longer ones are nobody's
        kind = type(value)  # not isinstance, which asks the object for its __class__
        if kind is types.FunctionType:
            assert isinstance(value, types.FunctionType)
            yield value
            value = value.__dict__.get("__wrapped__")
        elif issubclass(kind, _WITH_FUNCTION):
            value = object.__getattribute__(value, "__func__")
        elif issubclass(kind, functools.partial):
            value = object.__getattribute__(value, "func")
        elif issubclass(kind, property):
            value = object.__getattribute__(value, "fget")
        elif kind is functools._lru_cache_wrapper:
            value = object.__getattribute__(value, "__wrapped__")
        else:
            return


def _contents(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return None


def _shift(op: str, source: str, name: str) -> int:
    """How far the argument is shifted in this interpreter, seen in a compiled line."""
    function = compile(source, "<probe>", "exec").co_consts[0]
    for found in dis.get_instructions(function):
        if found.opname == op and found.arg is not None and found.argval == name:
            index = function.co_names.index(name)
            return next(k for k in range(4) if found.arg >> k == index)
    return 0


# Where the low bit of the argument is a flag: told by asking the interpreter once.
_SHIFTS = {
    "LOAD_GLOBAL": _shift("LOAD_GLOBAL", "def f():\n a; b; c; return abcd", "abcd"),
    "LOAD_ATTR": _shift("LOAD_ATTR", "def f(x):\n x.a; x.b; return x.abcd", "abcd"),
    "LOAD_SUPER_ATTR": _shift(
        "LOAD_SUPER_ATTR", "def f(self):\n super().a; return super().abcd", "abcd"
    ),
}
