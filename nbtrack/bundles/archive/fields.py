"""Fields of a JSON value of somebody else, each checked before it is used.

A `Fields` knows the file and the place it stands at, so that what is refused is named
("manifest.json: run.name"). What is absent has a default; what is there has its type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeGuard

from nbtrack.bundles.archive.trouble import refuse, shown

MAX_TEXT = 10_000_000  # characters; a list of members is bounded before
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INT64 = 1 << 63
MAX_FIELDS = 20_000  # of an object, and objects of a list: each is looked at


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object and where it stands."""

    value: Mapping[str, Any]  # Any: what JSON can hold
    file: str
    place: str = ""

    def at(self, key: str) -> str:
        """The place of one of its fields."""
        return f"{self.place}.{key}" if self.place else key

    def wrong(self, key: str, expected: str) -> NoReturn:
        """Refuse a field."""
        refuse(
            f"{shown(self.file)}: {self.at(key)} is {shown(self.value.get(key))}, "
            f"not {expected}"
        )

    def text(self, key: str, *, limit: int = MAX_TEXT) -> str:
        """A text that has to be there."""
        value = self.value.get(key)
        if not isinstance(value, str) or len(value) > limit:
            self.wrong(key, f"a text of at most {limit:,} characters")
        return value

    def text_or_none(self, key: str, *, limit: int = MAX_TEXT) -> str | None:
        """A text, or None where there is none."""
        return None if self.value.get(key) is None else self.text(key, limit=limit)

    def word(self, key: str, allowed: frozenset[str]) -> str:
        """One of some words."""
        value = self.text(key)
        if value not in allowed:
            self.wrong(key, f"one of {', '.join(sorted(allowed))}")
        return value

    def digest(self, key: str) -> str:
        """A sha256 in hex."""
        value = self.text(key)
        if not _DIGEST.fullmatch(value):
            self.wrong(key, "a sha256 digest")
        return value

    def whole(self, key: str) -> int:
        """A whole number that has to be there and goes into 64 bits."""
        value = self.value.get(key)
        if not is_whole(value):
            self.wrong(key, "a whole number")
        return value

    def whole_or_none(self, key: str) -> int | None:
        """A whole number, or None where there is none."""
        return None if self.value.get(key) is None else self.whole(key)

    def number_or_none(self, key: str) -> float | None:
        """A number, or None where there is none."""
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, "a number")
        if abs(value) > 1e300:
            self.wrong(key, "a number of sensible size")
        return float(value)

    def moment_or_none(self, key: str) -> str | None:
        """A time as the store keeps it, or None where there is none.

        >>> Fields({"at": "2026-03-01T10:00:00Z"}, "f").moment_or_none("at")
        '2026-03-01T10:00:00.000000Z'
        """
        value = self.text_or_none(key, limit=40)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.wrong(key, "a time")
        if moment.utcoffset() != timedelta(0) or not 1970 <= moment.year < 3000:
            self.wrong(key, "a time in UTC since 1970")
        return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    def fields(self, key: str) -> Fields:
        """An object; an empty one where there is none."""
        value = self.value.get(key)
        if value is not None and not isinstance(value, dict):
            self.wrong(key, "an object")
        _check_few(value or (), self.file, self.at(key))
        return Fields(value or {}, self.file, self.at(key))

    def rows(self, key: str) -> Iterator[Fields]:
        """The objects of a list; none where there is no list."""
        found = self.items(key)
        _check_few(found, self.file, self.at(key))
        for n, value in enumerate(found):
            if not isinstance(value, dict):
                refuse(f"{shown(self.file)}: {self.at(key)}[{n}] is no object")
            yield Fields(value, self.file, f"{self.at(key)}[{n}]")

    def items(self, key: str) -> list[Any]:  # Any: what JSON can hold
        """A list; an empty one where there is none."""
        value = self.value.get(key)
        if value is not None and not isinstance(value, list):
            self.wrong(key, "a list")
        return value or []

    def named(self) -> Iterator[tuple[str, Fields]]:
        """Each field that is an object itself, with its name."""
        for key in self.value:
            yield key, self.fields(key)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number of 64 bits; True is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return -_INT64 <= value < _INT64


def as_fields(value: Any, file: str) -> Fields:  # Any: what JSON can hold
    """The value of a whole file, which has to be an object."""
    if not isinstance(value, dict):
        refuse(f"{shown(file)} holds no object")
    _check_few(value, file, "it")
    return Fields(value, file)


def _check_few(values: Sized, file: str, place: str) -> None:
    if len(values) > MAX_FIELDS:
        refuse(f"{shown(file)}: {place} has {len(values):,} parts, which is too many")
