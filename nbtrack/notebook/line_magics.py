"""`%runs`, `%panel`, `%track_status`: each parses its line and calls one function."""

from __future__ import annotations

from typing import Any


def track_status(line: str) -> None:
    """Say where runs are kept, which one is recorded, and what is switched off."""
    from nbtrack.notebook.display import show_line
    from nbtrack.notebook.status import status_lines

    for text in status_lines():
        show_line(text)


LINE_MAGICS: dict[str, Any] = {"track_status": track_status}
