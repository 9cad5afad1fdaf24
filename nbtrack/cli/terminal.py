"""The same lines and tables for somebody who looks: colours, and the window's width.

Text of runs comes as `rich.text.Text`, which has no markup: `[red]` is five characters
and a bracket. rich obeys NO_COLOR and TERM=dumb. It is imported where a terminal is
written to: 50 ms that no script waits for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.cli.tables import Cell, rights_of, texts_of
from nbtrack.text import counted, visible

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2
_WIDEST = 24  # characters of the first column, where not all have room
_NARROWEST = 16  # of a text that is cut: a name still says something, a time all
_HEAD = 8  # of a heading that is cut
_STATUS = {
    "finished": "green", "running": "cyan", "failed": "red", "crashed": "red",
    "stopped": "yellow", "pruned": "yellow", "ok": "green", "warn": "yellow",
    "bad": "bold red",
}  # fmt: skip
_STYLED = ("status", "state")


def show_line(text: str, style: str) -> None:
    """Write one line in a style; long ones go on below, as ever."""
    from rich.text import Text

    _console().print(Text(text, style=style), soft_wrap=True, highlight=False)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a table, with as many columns as the window has room for."""
    from rich.table import Table
    from rich.text import Text

    console = _console()
    texts, right = texts_of(rows), rights_of(rows)
    heads = [visible(column) for column in columns]
    widths = _widths(heads, texts, right, room=console.width)
    table = Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold"
    )
    for head, width, to_right in zip(heads, widths, right, strict=False):
        table.add_column(
            Text(_fit(console, head)),
            justify="right" if to_right else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=width,
        )
    for row, line in zip(rows, texts, strict=True):
        table.add_row(
            *(
                Text(_fit(console, text), style=_style(column, value))
                for column, value, text, _ in zip(
                    columns, row, line, widths, strict=False
                )
            )
        )
    console.print(table, highlight=False)
    n_left = len(columns) - len(widths)
    if n_left:
        more = f"… and {counted(n_left, 'more column')}: a wider window, --json"
        show_line(_fit(console, more), "dim")


def _console() -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, markup=False, emoji=False, highlight=False)


def _fit(console: Console, text: str) -> str:
    return text.encode(console.encoding, "backslashreplace").decode(console.encoding)


def _widths(
    heads: Sequence[str],
    texts: Sequence[Sequence[str]],
    right: Sequence[bool],
    *,
    room: int,
) -> list[int]:
    """How wide each column is that has room; what comes first has it first.

    A number is whole or not shown: cut off, `1.5e-05` would be another one.

    >>> _widths(["id", "name"], [["a", "x" * 50]], [False, False], room=80)
    [2, 50]
    >>> _widths(["name", "notes"], [["x" * 20, "y" * 20]], [False, False], room=38)
    [20, 16]
    >>> _widths(["name", "loss"], [["x" * 50, "1.23457e-05"]], [False, True], room=40)
    [27, 11]
    >>> _widths(["a"] * 9, [["b"] * 9], [True] * 9, room=10)
    [1, 1, 1, 1]
    """
    from rich.cells import cell_len

    full = [max(map(cell_len, column)) for column in zip(heads, *texts, strict=True)]
    if sum(full) + _GAP * (len(full) - 1) <= room:
        return full
    whole = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    least = [
        max(whole[nth], min(width, _HEAD))
        if right[nth]
        else min(width, _NARROWEST if nth else _WIDEST)
        for nth, width in enumerate(full)
    ]
    n_shown = 1
    while n_shown < len(full) and sum(least[: n_shown + 1]) + _GAP * n_shown <= room:
        n_shown += 1
    return _shared_out(least[:n_shown], full, room - _GAP * (n_shown - 1))


def _shared_out(least: list[int], full: Sequence[int], room: int) -> list[int]:
    """What is left of the room goes to the columns that are cut, in order."""
    widths, left = [], room - sum(least)
    for width, wanted in zip(least, full, strict=False):
        more = max(0, min(wanted - width, left))
        widths.append(max(1, width + more))
        left -= more
    return widths


def _style(column: str, value: Any) -> str:
    if isinstance(value, Cell):
        return value.style
    return _STATUS.get(str(value), "") if column in _STYLED else ""
