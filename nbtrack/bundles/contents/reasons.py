"""Why cells are kept, without where the files lay on the exporter's machine.

A folder says who somebody is and what they work on; the name of the file says enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# As `nbtrack.slices.closure` words it: up to what follows a name there.
_PLACE = re.compile(
    r"\b((?:the file|folder) )(?:/|[A-Za-z]:[\\/]).*?"
    r"(?=, which | \(| in the background | unseen, |$)"
)


def without_places(reasons: Iterable[str]) -> list[str]:
    """The reasons with the last part of each absolute path alone.

    Examples
    --------
    >>> without_places(["sets the file /home/ann/cancer/a.csv, which [4] reads"])
    ['sets the file a.csv, which [4] reads']
    """
    return [_PLACE.sub(_last_part, reason) for reason in reasons]


def _last_part(found: re.Match[str]) -> str:
    parts = re.split(r"[\\/]", found[0].removeprefix(found[1]))
    return found[1] + next((part for part in reversed(parts) if part), "")
