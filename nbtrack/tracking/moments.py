"""Times as people give them, for runs that are filled in afterwards."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from nbtrack.errors import OptionError
from nbtrack.text import shorten, visible


def as_epoch_seconds(name: str, moment: datetime | float | str) -> float:
    """Seconds since the epoch; a time without a zone is taken as UTC.

    Raises
    ------
    OptionError
        For what is no time; `name` says whose value it was.

    Examples
    --------
    >>> as_epoch_seconds("at", "1970-01-01T00:01:00")
    60.0
    >>> as_epoch_seconds("at", datetime(1970, 1, 1, 1, tzinfo=UTC))
    3600.0
    """
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise _no_time(name, moment) from None
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        raise _no_time(name, moment)
    if not (math.isfinite(moment) and abs(moment) < 253_402_300_800):  # year 10000
        raise _no_time(name, moment)
    return float(moment)


def _no_time(name: str, moment: object) -> OptionError:
    shown = shorten(visible(repr(moment)), 60)
    return OptionError(
        f"{name}={shown} is no time. Use a datetime, seconds since the epoch, or text "
        "like '2019-05-01T12:00:00Z'."
    )
