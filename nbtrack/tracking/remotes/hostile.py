"""Values of a stranger's JSON: each is what was asked for, or a ValueError says so."""

from __future__ import annotations

import re
from typing import Any

from nbtrack.text import shorten

_DIGEST = re.compile(r"[0-9a-f]{64}")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def is_moment(value: str | None) -> bool:
    """Whether a time is written as the store writes it.

    >>> is_moment("2026-11-26T00:00:00.000000Z"), is_moment("tomorrow")
    (True, False)
    """
    return value is not None and _AT.fullmatch(value) is not None


def text_in(value: Any, limit: int) -> str:
    """A text of at most so many characters."""
    if not isinstance(value, str) or len(value) > limit:
        raise ValueError(f"{shorten(repr(value))} is no text, or too long.")
    value.encode("utf-8")  # half a surrogate pair cannot be kept: a ValueError
    return value


def whole_in(value: Any, limit: int) -> int:
    """A whole number from 0 to the limit."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise ValueError(f"{shorten(repr(value))} is no number up to {limit:,}.")
    return value


def digest_in(value: Any) -> str:
    """A hash of 32 bytes, in hex."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError(f"{shorten(repr(value))} is no digest.")
    return value


def moment_in(value: Any) -> str:
    """A time as the store writes it."""
    if not isinstance(value, str) or not _AT.fullmatch(value):
        raise ValueError(f"{shorten(repr(value))} is no time.")
    return value


def object_in(value: Any) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise ValueError(f"{shorten(repr(value))} is no object.")
    return value


def rows_in(value: Any, limit: int) -> list[Any]:
    """A list of at most so many."""
    if not isinstance(value, list) or len(value) > limit:
        raise ValueError(f"{shorten(repr(value))} is no list, or too long.")
    return value
