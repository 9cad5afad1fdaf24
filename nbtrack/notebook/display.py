"""The single function that shows a message line under a cell.

Text of runs is data: it is escaped here and nowhere put into markup by anybody else.
"""

from __future__ import annotations

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
