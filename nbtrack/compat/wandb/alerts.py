"""`run.alert`: what a script wants somebody to hear of."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from nbtrack.text import shorten

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run


class AlertLevel(Enum):
    """How urgent it is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


def record_alert(run: Run, *, title: str, text: str, level: str) -> None:
    """Keep an alert with the run, as one of its notices.

    Every alert of a script passes here, and nowhere else.
    """
    run.notices([f"alert {level}: {shorten(title, 200)}: {text}"])


def level_of(level: str | AlertLevel | None) -> str:
    """The level as a word.

    Raises
    ------
    ValueError
        For an unknown one.

    >>> level_of(None), level_of("warn"), level_of(AlertLevel.ERROR)
    ('INFO', 'WARN', 'ERROR')
    """
    if level is None:
        return AlertLevel.INFO.value
    word = level.value if isinstance(level, AlertLevel) else str(level).upper()
    return AlertLevel(word).value
