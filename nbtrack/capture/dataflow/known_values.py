"""The portraits of a session's variables, and which of them a cell has changed.

A portrait is taken when a cell first reads a variable and again after it; between cells
it stands as long as the variable holds the same object. What shares a part with a
changed value has changed too. What is too large to look at is said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.capture.dataflow.portraits import Budget, Portrait, portrait

PER_PORTRAIT = 20  # objects: what one takes whatever it is of, some 15 us
UNREAD = "it may share a part with what changed"


@dataclass(slots=True)
class Changes:
    """What became of variables that still hold the same object."""

    changed: list[str] = field(default_factory=list)
    unsure: dict[str, str] = field(default_factory=dict)  # -> why

    def __bool__(self) -> bool:
        return bool(self.changed or self.unsure)


def warm_up() -> None:
    """Load what the first portraits need, which takes some 30 ms: not in a cell.

    >>> warm_up()
    """
    values = {"x": [{}, len, Changes(), re.compile("")]}
    KnownValues().look_at(values, values, Budget(99, 999))


class KnownValues:
    """What is known of the variables of one namespace.

    >>> values, known = {"x": [1]}, KnownValues()
    >>> known.look_at(["x"], values, Budget(99, 999))
    >>> values["x"].append(2)
    >>> known.changes(["x"], values, Budget(99, 999)).changed
    ['x']
    """

    def __init__(self) -> None:
        self._portraits: dict[str, tuple[int, Portrait]] = {}  # name -> id, portrait
        self._looked_at: dict[str, int] = {}  # name -> tick
        self.tick = 0  # odd while a cell begins, even while it ends

    def of(self, name: str, value: Any) -> Portrait | None:
        """The last portrait of the object that the name holds."""
        kept = self._portraits.get(name)
        return kept[1] if kept is not None and kept[0] == id(value) else None

    def cells_ago(self, name: str) -> int:
        """How many cells have ended since this was looked at."""
        looked_at = self._looked_at.get(name, self.tick)
        return max(0, self.tick - looked_at) // 2

    def look_at(
        self, names: Iterable[str], namespace: Mapping[str, Any], budget: Budget
    ) -> None:
        """Take the portraits of those that have none."""
        for name in names:
            if name in namespace and self.of(name, namespace[name]) is None:
                self._take(name, namespace, budget)

    def get_to_know(
        self, names: Iterable[str], namespace: Mapping[str, Any], budget: Budget
    ) -> None:
        """Take portraits ahead of need, as far as the budget goes.

        A value that does not fit is left alone: it is looked at when a cell reads it.
        """
        for name in names:
            if budget.exhausted:
                return
            if name in namespace and self.of(name, namespace[name]) is None:
                budget.spend(nodes=PER_PORTRAIT)
                taken = portrait(namespace[name], namespace=namespace, budget=budget)
                if taken.digest is not None or taken.is_plain:
                    self._portraits[name] = (id(namespace[name]), taken)
                    self._looked_at[name] = self.tick

    def changes(
        self, names: Iterable[str], namespace: Mapping[str, Any], budget: Budget
    ) -> Changes:
        """Look again at what can have changed in place; the new portraits are kept."""
        found = Changes()
        for name in names:
            value = namespace.get(name)
            before = self.of(name, value)
            if name not in namespace or (before is not None and before.is_plain):
                continue
            now = self._take(name, namespace, budget)
            if before is None or before.digest is None or now.digest is None:
                if not now.is_plain:
                    found.unsure[name] = now.opaque or "nobody looked at it before"
            elif before.digest != now.digest:
                found.changed.append(name)
        return found

    def sharing(
        self,
        parts: Collection[int],
        names: Iterable[str],
        namespace: Mapping[str, Any],
        budget: Budget,
    ) -> Changes:
        """Which of the names reach one of the parts, which are ids of changed objects.

        Where it was looked at before, its own digest decides; names that were never
        looked at count where they reach a part now.
        """
        found = Changes()
        for name in names:
            before = self.of(name, namespace.get(name))
            if before is None:
                now = self._take(name, namespace, budget)
                if not now.is_plain and not now.parts.isdisjoint(parts):
                    found.changed.append(name)
            elif not before.parts.isdisjoint(parts):
                if before.digest is None:
                    found.changed.append(name)
                    continue
                self._compare(name, before, namespace, budget, found)
        return found

    def sweep(
        self, names: Iterable[str], namespace: Mapping[str, Any], budget: Budget
    ) -> Changes:
        """What else has changed, by ways that nobody sees; as far as the budget goes.

        What is left is looked at the next time.
        """
        found = Changes()
        for name in sorted(names, key=self.cells_ago, reverse=True):
            before = self.of(name, namespace.get(name))
            if before is None or before.is_plain or before.digest is None:
                continue
            if budget.exhausted or len(before.parts) > budget.nodes:
                continue
            self._compare(name, before, namespace, budget, found)
        return found

    def _compare(
        self,
        name: str,
        before: Portrait,
        namespace: Mapping[str, Any],
        budget: Budget,
        found: Changes,
    ) -> None:
        kept = self._portraits[name], self._looked_at[name]
        now = self._take(name, namespace, budget)
        if now.digest is None and budget.exhausted:
            self._portraits[name], self._looked_at[name] = kept
        elif now.digest is None:
            found.unsure[name] = now.opaque or UNREAD
        elif now.digest != before.digest:
            found.changed.append(name)

    def parts_of(self, names: Iterable[str], namespace: Mapping[str, Any]) -> set[int]:
        """The ids of all that these values reach and that can be changed."""
        found: set[int] = set()
        for name in names:
            known = self.of(name, namespace.get(name))
            if known is not None:
                found |= known.parts
        return found

    def forget_missing(self, namespace: Mapping[str, Any]) -> None:
        """Drop what is known of names that are gone or hold something else."""
        self._portraits = {
            name: kept
            for name, kept in self._portraits.items()
            if name in namespace and id(namespace[name]) == kept[0]
        }

    def _take(
        self, name: str, namespace: Mapping[str, Any], budget: Budget
    ) -> Portrait:
        value = namespace[name]
        budget.spend(nodes=PER_PORTRAIT)
        taken = portrait(value, namespace=namespace, budget=budget)
        self._portraits[name] = (id(value), taken)
        self._looked_at[name] = self.tick
        return taken
