"""The difference of two runs as plain text, for a terminal and for `repr`.

All text is of runs: control characters are shown as escapes, line by line. Long lists
are cut, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nbtrack.analysis.diff.causes import verdict
from nbtrack.analysis.diff.tables import (
    FIRST,
    Table,
    code_title,
    heading,
    metrics_line,
    metrics_table,
    same_line,
    shown_code,
    tables_of,
)
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    from nbtrack.analysis.diff.cause import Cause
    from nbtrack.analysis.diff.code import CodeChange
    from nbtrack.analysis.diff.run_diff import RunDiff

ROWS_MAX = 30  # of one table; to_frame() has all
CAUSES_MAX = 12
LINES_MAX = 40  # of one cell
CELLS_MAX = 20
LINE_MAX = 200
_CELL_MAX = 48


def diff_text(diff: RunDiff) -> str:
    """The difference as lines.

    Examples
    --------
    >>> from nbtrack.analysis.diff.run_diff import diff_sides
    >>> from nbtrack.analysis.diff.side import Side
    >>> from nbtrack.records import RunRecord
    >>> one = Side(RunRecord("1", "x", "e", "finished", "2026-11-01T10:00:00", None, 1))
    >>> print(diff_text(diff_sides(one, one)).splitlines()[2])
    A and B are the same run.
    """
    lines = [heading(diff.a, "A"), heading(diff.b, "B"), verdict(diff)]
    line = metrics_line(diff)
    lines += [line] if line else []
    lines += _causes(diff)
    tables = tables_of(diff)
    for table in tables:
        lines += _table(table) if table.title == FIRST else []
    code = shown_code(diff)
    lines += ["", "Code"] if code else []
    for change in code[:CELLS_MAX]:
        lines += _code(change)
    lines += _more(len(code) - CELLS_MAX, "code")
    for table in (*tables, metrics_table(diff)):
        lines += _table(table) if table.title != FIRST else []
    same = same_line(diff)
    lines += ["", f"The same: {same}"] if same else []
    lines += ["", "Not recorded"] if diff.unseen else []
    lines += [f"  {text}" for text in diff.unseen]
    return "\n".join(_plain(line) for line in lines)


def causes_title(diff: RunDiff) -> str:
    """What the list of causes is, given the metrics."""
    if diff.metrics_differ:
        return "Most likely because of"
    return "What differs"


def cause_text(cause: Cause) -> str:
    """A cause in one line."""
    why = f" ({' · '.join(cause.evidence)})" if cause.evidence else ""
    return f"{cause.sentence}{why}"


def _causes(diff: RunDiff) -> Iterator[str]:
    causes = diff.causes
    if not causes:
        return
    yield ""
    yield causes_title(diff)
    for nth, cause in enumerate(causes[:CAUSES_MAX], 1):
        yield f"  {nth}. {cause_text(cause)}: {cause.strength}"
    yield from _more(len(causes) - CAUSES_MAX, "causes")


def _table(table: Table) -> Iterator[str]:
    if not table.rows:
        return
    yield ""
    yield table.title
    shown = [_cells(row) for row in table.rows[:ROWS_MAX]]
    lines = [list(table.heads), *shown]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        yield f"  {'  '.join(padded).rstrip()}"
    yield from _more(len(table.rows) - ROWS_MAX, table.title.lower())


def _cells(row: Sequence[str]) -> list[str]:
    return [shorten(visible(text), _CELL_MAX) for text in row]


def _code(change: CodeChange) -> Iterator[str]:
    yield f"  {code_title(change)}"
    lines = change.unified
    if not lines:
        yield "    (its text was not kept, or is too long to be shown)"
    yield from (f"    {line.expandtabs(4)}" for line in lines[:LINES_MAX])
    if len(lines) > LINES_MAX:
        yield f"    … {len(lines) - LINES_MAX} lines more"


def _more(n: int, what: str) -> Iterator[str]:
    if n > 0:
        yield f"  … {n} more {what}"


def _plain(line: str) -> str:
    return shorten(visible(line), LINE_MAX)
