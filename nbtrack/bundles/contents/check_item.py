"""An item of the reproducibility checklist, and what is looked at to fill it in.

An item is ok only where the store has the value. What is not there says how it could be
next time, in a sentence that can be followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.records import Fact, RunRecord
    from nbtrack.slices.slice import Slice
    from nbtrack.store import Store

State = Literal["ok", "missing", "unknown"]
VALUE_MAX = 400  # characters of a value
NAMED = 8  # things in a list of names


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist."""

    group: str
    item: str
    state: State
    value: str = ""
    fix: str = ""  # what to do so that it is ok, or better, next time


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the checklist goes by."""

    store: Store
    record: RunRecord
    facts: Mapping[str, Fact]
    slice: Slice | None
    packages: Mapping[str, Any]  # as env/packages.json
    inputs: Mapping[str, Any]  # as data/inputs.json

    def value(self, name: str) -> Any:  # Any: what JSON can hold
        """What the store knows of this name; None where it does not."""
        fact = self.facts.get(name)
        return None if fact is None else fact.value

    def why(self, name: str) -> str | None:
        """Why a fact that was asked for is not known."""
        fact = self.facts.get(name)
        return None if fact is None else fact.missing


@dataclass(frozen=True, slots=True)
class Group:
    """Makes the items of one group."""

    name: str

    def ok(self, item: str, value: object, fix: str = "") -> Item:
        """The store has it."""
        return Item(self.name, item, "ok", shown(value), fix)

    def missing(self, item: str, value: object, fix: str) -> Item:
        """It was looked for, and is not there."""
        return Item(self.name, item, "missing", shown(value), fix)

    def unknown(self, item: str, value: object, fix: str) -> Item:
        """Nobody looked, or nothing can be said."""
        return Item(self.name, item, "unknown", shown(value), fix)


def shown(value: object) -> str:
    r"""A value in one line, not too long.

    Examples
    --------
    >>> shown("a\nb"), shown(3)
    ('a b', '3')
    """
    return shorten(visible(" ".join(str(value).split())), VALUE_MAX)


def listed(names: Iterable[object], *, most: int = NAMED) -> str:
    """The first few of them, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    every = [shorten(shown(name), 60) for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
