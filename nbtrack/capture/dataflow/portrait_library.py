"""Which types of libraries have a handler of their own; nothing is imported for it.

A class is known by the top-level module that it names and by its own name, and must be
the one that the loaded library has: no class of the notebook passes for it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from nbtrack.capture.classes import module_of, mro_of, name_of
from nbtrack.capture.dataflow.portrait_arrays import ARRAYS
from nbtrack.capture.dataflow.portrait_frames import FRAMES
from nbtrack.capture.dataflow.portrait_tensors import TENSORS
from nbtrack.capture.dataflow.portrait_walk import Handler, Walk

_TELLING = frozenset({"scipy", "sklearn"})  # their classes in C can be pickled
_TABLES = {
    "numpy": ARRAYS,
    "scipy": ARRAYS,
    "sklearn": ARRAYS,
    "pandas": FRAMES,
    "pyarrow": FRAMES,
    "polars": FRAMES,
    "torch": TENSORS,
}


def library_handler(kind: type, root: str) -> Handler | None:
    """The handler of a library's class, where it has one.

    >>> library_handler(int, "numpy") is None
    True
    """
    table = _TABLES.get(root)
    if table is None:
        return None
    handler = table.get(name_of(kind))
    return handler if handler is not None and _is_from(kind, root) else None


def add_hidden(walk: Walk, value: Any, root: str) -> None:
    """What keeps its state in C: some libraries tell it, as for a pickle."""
    kind = type(value)
    if root not in _TELLING or not _is_from(kind, root):
        walk.hide(f"a {name_of(kind)}, which keeps its state in C")
        walk.see_referents(value)
        return
    reduce: Any = kind.__reduce_ex__
    try:
        state = reduce(value, 4)[1:]
    except TypeError:
        walk.hide(f"a {name_of(kind)}, which does not tell its state")
        return
    walk.see_aside(state)


def _is_from(kind: type, root: str) -> bool:
    """Whether the library, not the notebook, made the class."""
    module: Any = sys.modules.get(module_of(kind))
    facts = vars(ModuleType)["__dict__"].__get__(module) if module else {}
    return (
        facts.get(name_of(kind)) is kind and bool(mro_of(kind)) and root in sys.modules
    )
