"""Rows as the command line shows them: cells, and plain aligned text for scripts.

Nothing here knows of a terminal. The text of a cell is safe: what controls a terminal
is an escape in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbtrack.text import shorten, visible

CELL_MAX = 64  # characters of a cell of a table: a sha256 is whole
BEST = "*"  # behind the best value of a column


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that says how it is shown: with a mark behind it, in a style."""

    value: Any  # Any: params are what the user had
    mark: str = ""
    style: str = ""  # of a terminal: "green", "bold red"
    right: bool = False  # a number that is a text already


def cell(value: Any) -> str:
    r"""A value as a cell of a table shows it.

    >>> cell(0.123456789), cell(12345), cell(Cell(0.5, mark="*")), cell("a\x1b")
    ('0.123457', '12,345', '0.5*', 'a\\x1b')
    >>> cell(1700000000.25)
    '1700000000.25'
    """
    if isinstance(value, Cell):
        return cell(value.value) + value.mark
    if value is None:
        return ""
    if isinstance(value, float):
        digits = 14 if 1e6 <= abs(value) < 1e15 else 6  # a time is told to 0.1 ms
        return f"{value:.{digits}g}"
    if isinstance(value, int):
        return f"{value:,}"
    return shorten(visible(str(value)), CELL_MAX)


def texts_of(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    """All cells as text; where a column has marks, numbers without one stay in line."""
    texts = [[cell(value) for value in row] for row in rows]
    right = rights_of(rows)
    for nth in range(len(right)):
        widest = max(len(_mark(row[nth])) for row in rows)
        if widest and right[nth]:
            for row, line in zip(rows, texts, strict=True):
                line[nth] += " " * (widest - len(_mark(row[nth])))
    return texts


def rights_of(rows: Sequence[Sequence[Any]]) -> list[bool]:
    """Which columns hold numbers, and so stand to the right."""
    return [all(_is_right(row[nth]) for row in rows) for nth in range(len(rows[0]))]


def plain_lines(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Rows under their headings, as lines of text.

    >>> plain_lines(["name", "n"], [["a", 1], ["bc", 20]])
    ['name   n', 'a      1', 'bc    20']
    """
    texts, right = texts_of(rows), rights_of(rows)
    heads = [shorten(visible(column), CELL_MAX) for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    lines = []
    for line in [heads, *texts]:
        padded = [
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def _is_right(value: Any) -> bool:
    if isinstance(value, Cell):
        return value.right or _is_right(value.value)
    return isinstance(value, int | float) or value is None


def _mark(value: Any) -> str:
    return value.mark if isinstance(value, Cell) else ""
