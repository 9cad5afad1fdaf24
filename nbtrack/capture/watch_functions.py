"""Finds the notebook's own functions that a cell calls, and lends them watched code.

A function's `__code__` is swapped for the length of the cell with the same source,
compiled with watch calls, and put back at the end. What cannot be found, has changed or
is handed to a compiler (`torch.compile`, numba, ...) is left alone.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any

from nbtrack.capture.reread import recompile, reparse
from nbtrack.capture.watch_reader import read_scope
from nbtrack.capture.watch_scopes import Scope, last_name
from nbtrack.capture.watch_sites import targets_of

# Code given to these is read or traced by a compiler, a call of ours with it.
_COMPILERS_TEXT = """
    compile jit njit script trace pjit pmap filter_jit vectorize guvectorize cfunc
    stencil tf_function function
"""
COMPILERS = frozenset(_COMPILERS_TEXT.split())
_COMPILING_PACKAGES = ("torch._dynamo", "torch.jit", "jax", "numba", "tensorflow")
_FUTURES = functools.reduce(
    int.__or__,
    (getattr(__future__, n).compiler_flag for n in __future__.all_feature_names),
)
Sources = Callable[[str], str | None]
Place = tuple[str, int]  # co_qualname and co_firstlineno


def compiled_functions(tree: ast.AST) -> set[str]:
    """Names that the cell hands to a compiler, by decorator or call.

    >>> compiled_functions(ast.parse("fast = torch.compile(step)"))
    {'step'}
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if any(_is_compiler(d) for d in node.decorator_list):
                names.add(node.name)
        elif isinstance(node, ast.Call) and last_name(node.func) in COMPILERS:
            names.update(a.id for a in node.args if isinstance(a, ast.Name))
            calls = [a.func for a in node.args if isinstance(a, ast.Call)]
            names.update(f.id for f in calls if isinstance(f, ast.Name))
    return names


def _is_compiler(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    if last_name(called) == "partial" and isinstance(node, ast.Call) and node.args:
        called = node.args[0]  # @partial(jax.jit, static_argnums=0)
    return last_name(called) in COMPILERS


class Notebook:
    """The functions and classes that earlier cells of a notebook defined."""

    def __init__(self, namespace: dict[str, Any], banned: Collection[str] = ()) -> None:
        self._namespace = namespace
        self._banned = set(banned)
        self._banned_classes = {
            type(value._orig_mod)
            for value in list(namespace.values())
            if type(value).__name__ == "OptimizedModule" and hasattr(value, "_orig_mod")
        }

    def functions_of(self, name: str) -> list[tuple[str, FunctionType]]:
        """The functions behind a global name, each under the name that calls it."""
        if name in self._banned or name not in self._namespace:
            return []
        return list(self._functions_in(name, self._namespace[name]))

    def _functions_in(
        self, name: str, value: Any
    ) -> Iterator[tuple[str, FunctionType]]:
        function = self._plain(value)
        if function is not None:
            yield name, function
            return
        cls = value if isinstance(value, type) else type(value)
        if self._is_own(cls) and cls not in self._banned_classes:
            yield from self._methods(name, cls)
        if isinstance(value, FunctionType) and self._is_own(value):
            yield name, value

    def _plain(self, value: Any) -> FunctionType | None:
        """The notebook's function in a decorated, partial or bound one."""
        for _ in range(8):
            if type(value).__module__.startswith(_COMPILING_PACKAGES):
                return None
            inner = self._inner(value)
            if inner is None:
                break
            value = inner
        own = isinstance(value, FunctionType) and value.__globals__ is self._namespace
        return value if own else None

    def _inner(self, value: Any) -> Any:
        if isinstance(value, functools.partial):
            return value.func
        if isinstance(value, MethodType):
            return value.__func__
        if not isinstance(value, FunctionType):
            return None
        module = getattr(inspect.unwrap(value), "__module__", "") or ""
        compiles = hasattr(value, "_torchdynamo_orig_callable")
        if compiles or module.startswith(_COMPILING_PACKAGES):
            return None
        return value.__dict__.get("__wrapped__")

    def _methods(self, name: str, cls: type) -> Iterator[tuple[str, FunctionType]]:
        for base in cls.__mro__:
            if not self._is_own(base) or base in self._banned_classes:
                continue
            for method_name, raw in list(vars(base).items()):
                function = self._plain(_unbound(raw))
                if function is None or method_name == "forward":
                    continue  # `forward` may be traced by a compiler later
                yield f".{method_name}", function
                if method_name in ("__init__", "__call__", "__iter__", "__enter__"):
                    yield name, function

    def _is_own(self, value: Any) -> bool:
        return getattr(value, "__module__", None) == self._namespace.get("__name__")


def _unbound(raw: Any) -> Any:
    if isinstance(raw, staticmethod | classmethod):
        return raw.__func__
    return raw.fget if isinstance(raw, property) else raw


class SourceFile:
    """One earlier cell: its tree with the scopes read from it, and its clean code."""

    def __init__(self, source: str, filename: str, asked: Collection[str]) -> None:
        self.source = source
        self.filename = filename
        self.tree = reparse(source)
        cell = read_scope(self.tree, asked=asked)
        self.scopes = {place_of(scope): scope for scope in cell.all_functions()}

    def scope_of(self, function: FunctionType) -> Scope | None:
        """The function's scope, when the source is the one it was made from."""
        code = function.__code__
        scope = self.scopes.get((code.co_qualname, code.co_firstlineno))
        if scope is None or isinstance(scope.node, ast.Module):
            return None
        arguments = scope.node.args
        names = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        n = code.co_argcount + code.co_kwonlyargcount
        same = [a.arg for a in names] == list(code.co_varnames[:n])
        return scope if same else None


def place_of(scope: Scope) -> Place:
    """Where CPython says that a function of this scope stands."""
    assert not isinstance(scope.node, ast.Module)
    lines = [decorator.lineno for decorator in scope.node.decorator_list]
    return scope.qualname, min([scope.node.lineno, *lines])


def code_index(tree: ast.Module | str, like: CodeType) -> dict[Place, CodeType]:
    """Every function's code in a tree, compiled as `like` was.

    >>> f = compile("def f(): 1", "<cell>", "exec").co_consts[0]
    >>> list(code_index("def f(): 1", f))
    [('f', 1)]
    """
    module = recompile(tree, like.co_filename, flags=like.co_flags & _FUTURES)
    return {(c.co_qualname, c.co_firstlineno): c for c in _codes_in(module)}


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


class FunctionSearch:
    """The notebook's functions that some scopes call, with the scopes of their source.

    Parameters
    ----------
    notebook
        What earlier cells defined.
    sources
        The Python source compiled under a filename, None where it is not known.
    asked
        Names to watch whatever they are.
    """

    def __init__(
        self, notebook: Notebook, sources: Sources, *, asked: Collection[str]
    ) -> None:
        self.targets: dict[str, list[Scope]] = {}
        self._notebook = notebook
        self._sources = sources
        self._asked = asked
        self._files: dict[str, SourceFile | None] = {}
        self._functions: dict[int, tuple[Scope, FunctionType]] = {}
        self._owners: dict[int, Scope] = {}  # inner functions, by what is lent code

    def run(self, scopes: Iterable[Scope]) -> None:
        """Fill `targets` with all that is called from `scopes`, directly or not."""
        waiting, seen = list(scopes), set[str]()
        while waiting:
            for reference in waiting.pop().references:
                if reference.is_attribute or reference.name in seen:
                    continue
                seen.add(reference.name)
                for name, function in self._notebook.functions_of(reference.name):
                    waiting += self._add(name, function)

    def _add(self, name: str, function: FunctionType) -> list[Scope]:
        file = self._file(function.__code__.co_filename)
        scope = file.scope_of(function) if file else None
        if scope is None:
            return []
        named = self.targets.setdefault(name, [])
        if scope in named:
            return []
        named.append(scope)
        is_new = id(scope) not in self._functions
        self._functions[id(scope)] = scope, function
        if not is_new:
            return []
        self._add_inner(scope)
        return [scope, *scope.all_functions()]

    def _add_inner(self, owner: Scope) -> None:
        """What a function defines is called from within it, and changed with it."""
        compiled = {"forward", *compiled_functions(owner.node)}
        for inner in owner.all_functions():
            if inner.name not in compiled and inner.class_name not in compiled:
                self._owners[id(inner)] = owner
                for name in targets_of([inner]):
                    self.targets.setdefault(name, []).append(inner)

    def _file(self, filename: str) -> SourceFile | None:
        if filename not in self._files:
            source = self._sources(filename)
            try:
                parsed = SourceFile(source, filename, self._asked) if source else None
            except (SyntaxError, ValueError):
                parsed = None  # magics that were not transformed: nothing to compile
            self._files[filename] = parsed
        return self._files[filename]

    def is_found(self, scope: Scope) -> bool:
        """Whether the scope is of a function that can be lent watched code."""
        return id(scope) in self._functions or id(scope) in self._owners

    def inner_of(self, scopes: Collection[Scope]) -> list[Scope]:
        """Functions in functions that are changed, or that make changed ones."""
        found = [s for s, _ in self._functions.values()]
        inner = [i for s in found for i in s.all_functions() if id(i) in self._owners]
        return [i for i in inner if any(s in scopes for s in (i, *i.all_functions()))]

    def source_of(self, filename: str) -> str | None:
        """The clean source of a file that was parsed."""
        file = self._files.get(filename)
        return file.source if file else None

    def lend(self, scopes: Iterable[Scope], swaps: CodeSwaps) -> None:
        """Compile the changed trees and swap the code of these functions."""
        indexes: dict[str, dict[Place, CodeType]] = {}
        owners = {id(o): o for s in scopes for o in [self._owners.get(id(s), s)]}
        for scope in owners:
            _, function = self._functions[scope]
            own = function.__code__
            file = self._files[own.co_filename]
            assert file is not None
            if own.co_filename not in indexes:
                indexes[own.co_filename] = code_index(file.tree, own)
            code = indexes[own.co_filename].get((own.co_qualname, own.co_firstlineno))
            if code is not None:
                swaps.lend(function, code)


class CodeSwaps:
    """Functions with lent code, and how to give each its own back."""

    def __init__(self) -> None:
        self._lent: list[tuple[FunctionType, CodeType, CodeType]] = []

    def lend(self, function: FunctionType, code: CodeType) -> bool:
        """Swap the code, if it fits the function's closure and signature."""
        own = function.__code__
        if own.co_freevars != code.co_freevars or own.co_flags != code.co_flags:
            return False
        self._lent.append((function, own, code))
        function.__code__ = code
        return True

    def give_back(self) -> None:
        """Every function has the code it had, unless somebody else changed it since."""
        while self._lent:
            function, own, code = self._lent.pop()
            if function.__code__ is code:
                function.__code__ = own
