"""The cells that a shell executed before nbtrack was loaded."""

from __future__ import annotations

from typing import Any

from nbtrack.capture.session import ExecutedCell
from nbtrack.text import text_digest


def earlier_cells(shell: Any) -> list[ExecutedCell]:  # Any: IPython has no types
    """What was executed before nbtrack was loaded, as the shell remembers it.

    Their text and number is all that is known: no time, no outcome.
    """
    typed = shell.history_manager.input_hist_raw
    # The last one is the cell that loads nbtrack: its end will be seen.
    return [
        ExecutedCell(source, text_digest(source), None, number, "")
        for number, source in enumerate(typed[:-1])
        if number and source
    ]
