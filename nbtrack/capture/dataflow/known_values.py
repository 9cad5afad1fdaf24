"""The portraits of a session's variables, and which of them a cell has changed.

A portrait is taken when a cell first reads a variable and again after it; between cells
it stands as long as the variable holds the same object. What shares a part with a
changed value has changed too. What is too large to look at is said to be so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.capture.dataflow.portraits import Budget, Portrait, portrait

UNREAD = "it may share a part with what changed"


@dataclass(slots=True)
class Changes:
    """What became of variables that still hold the same object."""

    changed: list[str] = field(default_factory=list)
    unsure: dict[str, str] = field(default_factory=dict)  # -> why

    def __bool__(self) -> bool:
        return bool(self.changed or self.unsure)


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

    def of(self, name: str, value: Any) -> Portrait | None:
        """The last portrait of the object that the name holds."""
        kept = self._portraits.get(name)
        return kept[1] if kept is not None and kept[0] == id(value) else None

    def look_at(
        self, names: Iterable[str], namespace: Mapping[str, Any], budget: Budget
    ) -> None:
        """Take the portraits of those that have none."""
        for name in names:
            if name in namespace and self.of(name, namespace[name]) is None:
                self._take(name, namespace, budget)

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

        Where it was looked at before, its own digest decides.
        """
        found = Changes()
        for name in names:
            before = self.of(name, namespace[name])
            if before is not None and before.is_plain:
                continue
            if before is not None and before.digest is not None:
                touched = not before.parts.isdisjoint(parts)
                now = self._take(name, namespace, budget) if touched else before
                if now.digest is None:
                    found.unsure[name] = now.opaque or UNREAD
                elif now.digest != before.digest:
                    found.changed.append(name)
                continue
            now = before or self._take(name, namespace, budget)
            if not now.parts.isdisjoint(parts):
                found.changed.append(name)
        return found

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
        taken = portrait(value, namespace=namespace, budget=budget)
        self._portraits[name] = (id(value), taken)
        return taken
