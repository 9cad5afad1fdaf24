"""The bounds of loops that are written out: `range(10)`, `[0.1, 1]`, `step < 500`.

A bound given through a name is no bound here: the name is read, and is a param itself.
"""

from __future__ import annotations

import ast
from typing import Any

from nbtrack.capture.evaluate import NO_DEFAULT, Known, dotted, known_or
from nbtrack.capture.survey import Survey

NAMELESS = "iterations"  # what `for _ in range(100)` counts
# Not `nbtrack.epochs`: that loop records its own length.
_RANGES = frozenset({"range", "trange", "prange", "tnrange", "arange"})
_WRAPPERS = frozenset(
    {"tqdm", "enumerate", "progress_bar", "master_bar", "track", "list", "reversed"}
    | {"tqdm_notebook", "alive_it", "iter", "tuple", "sorted"}
)
_GRIDS = frozenset({"linspace", "logspace", "geomspace", "arange"})
# Loops over parts of one training, not over settings of it.
_NO_SETTING = frozenset(
    {"phase", "split", "mode", "ax", "name", "key", "col", "label", "word", "metric"}
)
_BELOW = (ast.Lt, ast.LtE, ast.NotEq)


def for_bounds(node: ast.For | ast.AsyncFor, known: Known) -> dict[str, Any]:
    """The params that a `for` states by itself, by name.

    >>> loop = ast.parse("for epoch in tqdm(range(10)): pass").body[0]
    >>> for_bounds(loop, Known())
    {'epoch': 10}
    """
    target, bound = _unwrapped(node.target, node.iter)
    count = _count(bound)
    if count is not None:
        return {_named(target): count} if isinstance(target, ast.Name) else {}
    if _is_grid(bound):
        name = target.id if isinstance(target, ast.Name) else ""
        return {name: ast.unparse(bound)} if name else {}
    return _columns(target, bound, known)


def while_bounds(node: ast.While, found: Survey, known: Known) -> dict[str, Any]:
    """The bound of a counter that the loop itself moves.

    >>> from nbtrack.capture.survey import survey
    >>> body = ast.parse("while step < 500: step += 1").body
    >>> while_bounds(body[0], survey(body), Known())
    {'step': 500}
    """
    tests = node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
    bounds: dict[str, Any] = {}
    for test in tests:
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            continue
        left, right = test.left, test.comparators[0]
        counter = isinstance(left, ast.Name) and _counts(left.id, found)
        if counter and isinstance(test.ops[0], _BELOW) and _is_bare(right):
            bounds[left.id] = known_or(right, known)  # type: ignore[attr-defined]
    return {name: value for name, value in bounds.items() if value is not NO_DEFAULT}


def is_range(bound: ast.expr) -> bool:
    """Whether a loop counts: over `range(n)`, `trange(n)`.

    >>> is_range(ast.parse("tqdm(range(n))", mode="eval").body)
    True
    """
    _, bound = _unwrapped(bound, bound)
    if not isinstance(bound, ast.Call):
        return False
    return (dotted(bound.func) or "").rpartition(".")[2] in _RANGES


def varying_arguments(name: str, found: Survey) -> frozenset[str] | None:
    """Keywords that change from round to round where a loop makes the object `name`.

    None where no keyword tells what changes: nothing of its settings holds for all.

    >>> from nbtrack.capture.survey import survey
    >>> body = ast.parse("for C in cs: clf = SVC(C=C, kernel='rbf')").body
    >>> varying_arguments("clf", survey(body))
    frozenset({'C'})
    """
    varying: set[str] = set()
    for store in found.stored_in_loop(name):
        if not isinstance(store.value, ast.Call):
            return None
        for part in ast.walk(store.value):
            if not isinstance(part, ast.Call):
                continue
            if any(_is_loop_variable(argument, found) for argument in part.args):
                return None
            for keyword in part.keywords:
                if _changes(keyword.value, found):
                    varying.add(keyword.arg or "")
    return None if "" in varying else frozenset(varying)


def _is_loop_variable(node: ast.expr, found: Survey) -> bool:
    node = node.value if isinstance(node, ast.Starred) else node
    stores = found.stores.get(node.id, ()) if isinstance(node, ast.Name) else ()
    return any(store.kind == "for" for store in stores)


def _changes(node: ast.expr, found: Survey) -> bool:
    return any(
        isinstance(part, ast.Name) and found.stored_in_loop(part.id)
        for part in ast.walk(node)
    )


def _unwrapped(target: ast.expr, bound: ast.expr) -> tuple[ast.expr, ast.expr]:
    """Look through `enumerate`, `tqdm` and the like, at the target they feed."""
    while isinstance(bound, ast.Call) and bound.args:
        name = (dotted(bound.func) or "").rpartition(".")[2]
        if name not in _WRAPPERS:
            break
        bound = bound.args[0]
        if name == "enumerate" and isinstance(target, ast.Tuple):
            target = target.elts[-1]
    return target, bound


def _count(bound: ast.expr) -> int | None:
    """How often `range(...)` with bare numbers runs."""
    if not isinstance(bound, ast.Call) or not bound.args:
        return None
    name = dotted(bound.func) or ""
    if name.rpartition(".")[2] not in _RANGES or not all(map(_is_bare, bound.args)):
        return None
    numbers = [known_or(argument, Known()) for argument in bound.args]
    if not all(type(number) is int for number in numbers) or numbers[2:] == [0]:
        return None
    return len(range(*numbers[:3]))


def _is_bare(node: ast.expr) -> bool:
    return not any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(node))


def _is_grid(bound: ast.expr) -> bool:
    if not isinstance(bound, ast.Call) or not all(map(_is_bare, bound.args)):
        return False
    return (dotted(bound.func) or "").rpartition(".")[2] in _GRIDS


def _columns(target: ast.expr, bound: ast.expr, known: Known) -> dict[str, Any]:
    """The settings that a loop over a written list goes through, one list a name."""
    if not isinstance(bound, ast.List | ast.Tuple | ast.Set):
        return {}
    rows = known_or(bound, known)
    if rows is NO_DEFAULT or not rows:
        return {}
    if isinstance(target, ast.Name):
        return {target.id: list(rows)} if _is_setting(target.id) else {}
    if not isinstance(target, ast.Tuple) or not all(
        isinstance(row, list | tuple) and len(row) == len(target.elts) for row in rows
    ):
        return {}
    return {
        part.id: [row[index] for row in rows]
        for index, part in enumerate(target.elts)
        if isinstance(part, ast.Name) and _is_setting(part.id)
    }


def _is_setting(name: str) -> bool:
    return name.strip("_") != "" and name not in _NO_SETTING


def _named(target: ast.Name) -> str:
    return target.id if target.id.strip("_") else NAMELESS


def _counts(name: str, found: Survey) -> bool:
    return any(store.kind in ("aug", "assign") for store in found.stored_in_loop(name))
