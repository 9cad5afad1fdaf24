"""How urgent an alert is, in wandb's words and in nbtrack's."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbtrack.records import Level


class AlertLevel(Enum):
    """How urgent it is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


_OURS: dict[AlertLevel, Level] = {
    AlertLevel.INFO: "info",
    AlertLevel.WARN: "warn",
    AlertLevel.ERROR: "error",
}


def level_of(level: str | AlertLevel | None) -> Level:
    """The level as `Run.alert` takes it.

    Raises
    ------
    ValueError
        For an unknown one.

    >>> level_of(None), level_of("warn"), level_of(AlertLevel.ERROR)
    ('info', 'warn', 'error')
    """
    if level is None:
        return "info"
    word = level.value if isinstance(level, AlertLevel) else str(level).upper()
    return _OURS[AlertLevel(word)]
