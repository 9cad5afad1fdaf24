"""Which random generators a cell seeds before anything in it may draw from them.

By the text alone: a seed call counts where only imports, definitions and plain values
stand before it, so that what came before the cell is of no account.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any

from nbtrack.capture.evaluate import dotted
from nbtrack.capture.magics import without_magics
from nbtrack.capture.reads import operations
from nbtrack.capture.reread import reparse

_BY_CALL = {
    "random.seed": ("random",),
    "np.random.seed": ("numpy",),
    "numpy.random.seed": ("numpy",),
    "torch.manual_seed": ("torch",),
    "torch.random.manual_seed": ("torch",),
    "seed": ("random", "numpy"),  # of `from random import seed`
    "manual_seed": ("torch",),
}
_ALL = ("random", "numpy", "torch")
_WORDS = ("seed_everything", "set_seed", "set_random_seed", "seed_all", "fix_seed")
_INERT = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef
_SEEDERS = frozenset({"seed", "manual_seed"})
MAX_NAMES = 25  # of a function that does little more than to seed


def seeded_first(python: str, namespace: Mapping[str, Any]) -> frozenset[str]:
    r"""The generators that surely start from a seed of the cell's own.

    >>> sorted(seeded_first("import random\nrandom.seed(3)\nx = random.random()", {}))
    ['random']
    >>> seeded_first("x = random.random()\nrandom.seed(3)", {})
    frozenset()
    """
    if "seed" not in python:
        return frozenset()
    try:
        body = without_magics(reparse(python), python).body
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    found: set[str] = set()
    for node in body:
        seeds = _seeded_by(node, namespace)
        if seeds is not None:
            found.update(seeds)
        elif not _is_inert(node):
            break
    return frozenset(found)


def only_defines(python: str) -> bool:
    r"""Whether a cell does nothing but import, define and name plain values.

    Libraries draw random numbers while they are imported, for names of temporary files;
    no result depends on those.

    >>> only_defines("import numpy as np\nlr = 0.1"), only_defines("x = f()")
    (True, False)
    """
    try:
        return all(map(_is_inert, reparse(python).body))
    except (SyntaxError, ValueError, RecursionError):
        return False


def _seeded_by(node: ast.stmt, namespace: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What a statement that is one seed call seeds; None for any other."""
    value = getattr(node, "value", None)
    if not isinstance(node, ast.Expr | ast.Assign) or not isinstance(value, ast.Call):
        return None
    if not (value.args or value.keywords):
        return None  # seed() takes the time
    name = dotted(value.func) or ""
    if name in _BY_CALL:
        return _BY_CALL[name]
    own = namespace.get(name)
    if type(own) is FunctionType and own.__globals__ is namespace:
        return _seeded_in(own.__code__) or None
    return _ALL if name.rpartition(".")[2] in _WORDS else None


def _seeded_in(code: CodeType) -> tuple[str, ...]:
    """What a function of the notebook seeds, that does little else."""
    loads = {value for op, value in operations(code) if op == "LOAD_GLOBAL"}
    names = frozenset(code.co_names)
    if len(names) > MAX_NAMES or not names & _SEEDERS:
        return ()
    seeds = "seed" in names
    found = {
        "random": seeds and "random" in loads,
        "numpy": seeds and not loads.isdisjoint({"np", "numpy"}),
        "torch": "manual_seed" in names,
    }
    return tuple(name for name, is_seeded in found.items() if is_seeded)


def _is_inert(node: ast.stmt) -> bool:
    if isinstance(node, _INERT):
        return not getattr(node, "decorator_list", ())
    return not any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))
