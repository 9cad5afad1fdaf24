"""What a cell reads from the session, and whether running it changes that.

Trials are independent as long as no trial leaves anything that the next one reads. Its
names are bound anew before each trial and random generators are put back; what a cell
changes in place is seen here, by portraits taken before and after, with as much work
as it takes. Nothing of the user's is run or kept alive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from nbtrack.capture.dataflow.cell_reads import cell_reads
from nbtrack.capture.dataflow.portraits import Budget, Portrait, portrait
from nbtrack.capture.dataflow.users_names import is_ipythons

# Work of one look: a GB of arrays takes a quarter of a second. What holds more is
# opaque, and a cell that reads it does not run in the kernel.
WORK = (3_000_000, 16_000_000_000)  # objects, bytes


class Boundary:
    """The values that a cell reads, as they were before it.

    >>> names = {"x": [1], "y": 2}
    >>> boundary = Boundary.of("x.append(y)", names)
    >>> names["x"].append(2)
    >>> boundary.changed(names)
    {'x': 'the cell changes it'}
    """

    def __init__(self, names: Iterable[str], namespace: Mapping[str, Any]) -> None:
        budget = Budget(*WORK)
        self._before: dict[str, Portrait] = {}
        self._code: set[str] = set()
        for name in names:
            if name in namespace and not isinstance(namespace[name], ModuleType):
                taken = portrait(namespace[name], namespace=namespace, budget=budget)
                if not taken.is_plain:
                    self._before[name] = taken
                if isinstance(namespace[name], FunctionType | type):
                    self._code.add(name)

    @classmethod
    def of(cls, python: str, namespace: Mapping[str, Any]) -> Boundary:
        """The boundary of a cell that is about to run."""
        return cls(names_read(python, namespace), namespace)

    @property
    def changeable(self) -> tuple[str, ...]:
        """What it reads and could well change in place.

        Not functions and classes, which nobody changes and which are looked at all the
        same: what they read counts by itself.
        """
        return tuple(name for name in self._before if name not in self._code)

    def changed(self, namespace: Mapping[str, Any]) -> dict[str, str]:
        """What is not as it was, or cannot be told, with the reason."""
        budget = Budget(*WORK)
        found: dict[str, str] = {}
        for name, before in self._before.items():
            if name not in namespace:
                found[name] = "the cell deletes it"
                continue
            now = portrait(namespace[name], namespace=namespace, budget=budget)
            if before.digest is None or now.digest is None:
                why = now.opaque or before.opaque or "it is too large to be looked at"
                found[name] = f"whether the cell changes it cannot be seen ({why})"
            elif now.digest != before.digest:
                found[name] = "the cell changes it"
        return found


def names_read(python: str, namespace: Mapping[str, Any]) -> list[str]:
    """The variables that a cell reads, by itself or by the functions that it calls.

    >>> names_read("y = f(x) + z", {"x": 1, "z": 2, "w": 3})
    ['x', 'z']
    """
    budget = Budget(*WORK)

    def codes_of(name: str) -> Iterable[CodeType]:
        if name not in namespace:
            return ()
        return portrait(namespace[name], namespace=namespace, budget=budget).codes

    found = cell_reads(python, namespace, codes_of)
    names = list(namespace) if found.everything else found.names
    return [name for name in names if name in namespace and not is_ipythons(name)]
