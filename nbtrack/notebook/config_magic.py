"""`%track_config`: what this folder's store captures, and switching it off."""

from __future__ import annotations

from collections.abc import Iterator

from nbtrack.errors import OptionError
from nbtrack.text import shorten, visible
from nbtrack.tracking.settings import FEATURES, configure


def config_lines(line: str) -> Iterator[str]:
    """Carry out the line, then say what is on and what is off.

    Raises
    ------
    OptionError
        For an unknown word.

    Examples
    --------
    >>> next(config_lines("off system"))
    'off in this store: system (CPU, memory, disk, network and GPU over time)'
    """
    action, *words = line.split() or [""]
    if action == "off" and words:
        off = configure(off=words)
    elif action == "on" and not words:
        off = configure(off=[])
    elif not action:
        off = configure()
    else:
        raise OptionError(
            f"%track_config {shorten(visible(line), 40)!r} is not understood. Write "
            "%track_config off system output, or %track_config on."
        )
    for name in sorted(off):
        yield f"off in this store: {name} ({FEATURES[name]})"
    yield f"captured: {', '.join(name for name in FEATURES if name not in off)}"
