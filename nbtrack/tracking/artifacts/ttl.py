"""How long a version is kept: "30d", "12h", a timedelta, seconds."""

from __future__ import annotations

import math
import re
import time
from datetime import timedelta

from nbtrack.errors import OptionError
from nbtrack.text import shorten

Ttl = str | float | timedelta
LONGEST_S = 100 * 365.25 * 86_400  # beyond a hundred years: say nothing instead
_UNITS = {
    "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800,
}  # fmt: skip
_PART = re.compile(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*(sec|min|s|m|h|d|w)(?![a-z])", re.I)


def seconds_of(ttl: Ttl) -> float:
    """A length of time in seconds.

    Raises
    ------
    OptionError
        For what is none, or not above zero.

    Examples
    --------
    >>> seconds_of("30d"), seconds_of("1h 30min"), seconds_of(5)
    (2592000.0, 5400.0, 5.0)
    """
    if isinstance(ttl, bool):
        raise _refusal(ttl)
    if isinstance(ttl, timedelta):
        seconds = ttl.total_seconds()
    elif isinstance(ttl, str):
        seconds = _of_text(ttl)
    elif isinstance(ttl, int | float):
        seconds = float(ttl)
    else:
        raise _refusal(ttl)
    if not (math.isfinite(seconds) and 0 < seconds <= LONGEST_S):
        raise _refusal(ttl)
    return seconds


def expiry_of(ttl: Ttl | None) -> str | None:
    """When a version that is logged now expires, as the records say it.

    >>> expiry_of(None) is None, expiry_of("1d") > expiry_of("1h")
    (True, True)
    """
    from nbtrack.store.values import utc_text

    return None if ttl is None else utc_text(time.time() + seconds_of(ttl))


def _of_text(text: str) -> float:
    at, seconds = 0, 0.0
    while at < len(text.rstrip()):
        part = _PART.match(text, at)
        if part is None:
            raise _refusal(text)
        seconds += float(part[1]) * _UNITS[part[2].lower()]
        at = part.end()
    return seconds


def _refusal(ttl: object) -> OptionError:
    return OptionError(
        f"ttl {shorten(repr(ttl))} is no length of time above zero, of at most a "
        "hundred years. Say '30d', '12h', '90min', a timedelta, or seconds."
    )
