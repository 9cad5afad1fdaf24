"""Values on their way into a row: text that SQLite takes, valid JSON, times."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from nbtrack.text import visible


def storable(value: Any) -> str | None:
    """Text that SQLite takes: lone surrogates become escapes."""
    if value is None:
        return None
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return visible(text)
    return text


def as_json(value: Any) -> str:
    """A value as JSON text; escapes only where the text would not be valid."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=repr)
    return text


def iso(moment: float | str | None) -> str | None:
    """A time as the store keeps it: ISO 8601, UTC, microseconds, `Z`.

    >>> iso(0.5)
    '1970-01-01T00:00:00.500000Z'
    """
    if moment is None or moment == "":
        return None
    if isinstance(moment, str):
        return moment
    return utc_text(moment)


def utc_text(at: float) -> str:
    """Epoch seconds as the store keeps a time.

    >>> utc_text(0.5)
    '1970-01-01T00:00:00.500000Z'
    """
    return _as_text(datetime.fromtimestamp(at, UTC))


def epoch_s(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time; UTC where it names no zone.

    >>> epoch_s("1970-01-01T00:00:01.500000Z"), epoch_s("1970-01-01 00:00:01")
    (1.5, 1.0)
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def now() -> str:
    """The time, as the store keeps it."""
    return _as_text(datetime.now(UTC))


def _as_text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
