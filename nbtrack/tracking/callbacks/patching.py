"""Functions of a framework replaced by twins, and put back as the same objects.

A decorated function keeps what it wraps in a closure: there the inside is replaced, so
that whoever has imported the function by name is reached too. A plain function is
replaced in its modules and in the notebook's names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CellType, ModuleType
from typing import Any

_MISSING = object()
Function = Callable[..., Any]  # Any: the framework's own arguments and results


@dataclass(frozen=True, slots=True)
class _Patch:
    owner: Any  # a module, a class, or the cell of a closure
    attribute: str
    before: Any  # _MISSING where the attribute was inherited
    twin: Any


class Patches:
    """What one hook has replaced; `undo` puts everything back.

    >>> import textwrap
    >>> original, patches = textwrap.dedent, Patches()
    >>> patches.replace("dedent", (textwrap,), lambda inner: lambda text: "twin")
    >>> textwrap.dedent(" a"), patches.undo(), textwrap.dedent is original
    ('twin', None, True)
    """

    def __init__(self) -> None:
        self._patches: list[_Patch] = []
        self._twins: list[tuple[Function, Function]] = []  # original, twin

    def __bool__(self) -> bool:
        return bool(self._patches)

    def set(self, owner: Any, attribute: str, twin: Any) -> None:
        """Replace one attribute of a module or class, or the content of a cell."""
        before = _value_in(owner, attribute)
        setattr(owner, attribute, twin)
        self._patches.append(_Patch(owner, attribute, before, twin))

    def replace(
        self,
        name: str,
        homes: Iterable[ModuleType],
        twin_of: Callable[[Function], Function],
    ) -> None:
        """Replace the function `name`, which stands in each of `homes`."""
        homes = list(homes)
        original = getattr(homes[0], name)
        inside = _cell_of_the_wrapped(original)
        if inside is not None:
            self.set(inside, "cell_contents", twin_of(inside.cell_contents))
            return
        twin = twin_of(original)
        self._twins.append((original, twin))
        for home in homes:
            if vars(home).get(name) is original:
                self.set(home, name, twin)
        _rebind({id(original): twin})

    def undo(self) -> None:
        """Put back what was there, unless somebody else has replaced it meanwhile."""
        while self._patches:
            _undo(self._patches.pop())
        # Also what the notebook bound meanwhile: `from lightgbm import train`.
        _rebind({id(twin): original for original, twin in self._twins})
        self._twins.clear()


def _cell_of_the_wrapped(function: Function) -> CellType | None:
    """The closure's cell that holds what a decorator of functools' kind wraps."""
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is None:
        return None
    for cell in getattr(function, "__closure__", None) or ():
        if isinstance(cell, CellType) and _value_in(cell, "") is wrapped:
            return cell
    return None


def _value_in(owner: Any, attribute: str) -> Any:
    if not isinstance(owner, CellType):
        return vars(owner).get(attribute, _MISSING)
    try:
        return owner.cell_contents
    except ValueError:  # an empty cell
        return _MISSING


def _undo(patch: _Patch) -> None:
    if _value_in(patch.owner, patch.attribute) is not patch.twin:
        return
    if patch.before is _MISSING:
        delattr(patch.owner, patch.attribute)
    else:
        setattr(patch.owner, patch.attribute, patch.before)


def _rebind(meaning: dict[int, Function]) -> None:
    """Replace values among the names of the notebook or script."""
    main = sys.modules.get("__main__")
    namespace = {} if main is None else vars(main)
    for name, value in list(namespace.items()):
        if id(value) in meaning:
            namespace[name] = meaning[id(value)]
