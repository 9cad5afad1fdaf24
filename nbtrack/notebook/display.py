"""The single function that shows a message line under a cell.

Text of runs is data: it is escaped here and nowhere put into markup by anybody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from nbtrack.text import escape, visible

_STYLE = "color: var(--jp-ui-font-color2, gray); font-size: 90%"


def show_line(text: str) -> None:
    """Show one line where the cell's other outputs are; plain text in a terminal.

    It is an output of its own: what the cell prints on stdout stays what it was.

    Examples
    --------
    >>> show_line("run base-3 · watched loss")
    run base-3 · watched loss
    """
    from IPython.display import publish_display_data

    line = " ".join(text.split())
    html = f'<div style="{_STYLE}">{escape(line)}</div>'
    publish_display_data({"text/plain": visible(line), "text/html": html})


def updated_line() -> Callable[[str], None]:
    """A line under the cell that each call replaces by the next one.

    Examples
    --------
    >>> tell = updated_line()
    >>> tell("running")
    running
    """
    from IPython.display import display

    name, is_shown = f"nbtrack-{secrets.token_hex(6)}", False

    def tell(text: str) -> None:
        nonlocal is_shown
        shown: dict[str, Any] = {
            "text/plain": visible(text),
            "text/html": f"<div>{escape(text)}</div>",
        }
        display(shown, raw=True, display_id=name, update=is_shown)
        is_shown = True

    return tell
