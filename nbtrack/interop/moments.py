"""Times as other tools write them."""

from __future__ import annotations

from datetime import UTC, datetime


def seconds_of(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time; UTC where it names no zone.

    >>> seconds_of("1970-01-01T00:00:01.5+00:00"), seconds_of("1970-01-01 00:00:01")
    (1.5, 1.0)
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
