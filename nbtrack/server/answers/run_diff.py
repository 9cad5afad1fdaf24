"""What differs between two runs, and between a run's cell and a text: no markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nbtrack.analysis.diff.cause import Cause
from nbtrack.analysis.diff.causes import verdict
from nbtrack.analysis.diff.code import CodeChange
from nbtrack.analysis.diff.html import LINES_MAX, ROWS_MAX
from nbtrack.analysis.diff.lines import SideLine, side_by_side
from nbtrack.analysis.diff.run_diff import RunDiff
from nbtrack.analysis.diff.tables import (
    Table,
    code_title,
    heading,
    metrics_line,
    metrics_table,
    same_line,
    shown_code,
    tables_of,
)
from nbtrack.analysis.diff.view import CELLS_MAX
from nbtrack.errors import OptionError
from nbtrack.redact import redact_source
from nbtrack.server.desk import Desk
from nbtrack.slices.diff import diff_stored
from nbtrack.text import shorten

CAUSES_MAX = 20
TEXT_CHARS = 300  # of one cell of a table
LINE_CHARS = 500
_KINDS = {"only in a": "removed", "only in b": "added"}


def diff(desk: Desk, a: str, b: str) -> dict[str, Any]:
    """Why two runs differ; they may lie in two stores.

    Raises
    ------
    RunNotFoundError
        Where one of them is not known here, or lies in the trash.
    """
    found = diff_stored((desk.stores.of_run(a), a), (desk.stores.of_run(b), b))
    return {
        "headings": [heading(side, "").strip() for side in (found.a, found.b)],
        "verdict": verdict(found),
        "metrics_line": metrics_line(found) if found.metrics_differ else "",
        "causes": [_cause(cause) for cause in found.causes[:CAUSES_MAX]],
        "tables": [_table(table) for table in tables_of(found)],
        "code": list(_code(found)),
        "metrics": _table(metrics_table(found)),
        "same": same_line(found),
        "unseen": list(found.unseen),
    }


def cell_diff(desk: Desk, run_id: str, source: str) -> dict[str, Any]:
    """A run's own cell, as it was recorded, against a text.

    Raises
    ------
    OptionError
        Where the text of its cell was not kept.
    """
    recorded = desk.stores.of_run(run_id).run(run_id).source
    if recorded is None:
        raise OptionError(f"The text of the cell of run {run_id} was not kept.")
    # What was taken out of the one as a secret is no difference of the other.
    old, new = _ends_cut(recorded), _ends_cut(redact_source(source)[0])
    if old == new:
        return {"same": True, "lines": []}
    lines = _lines(side_by_side(old, new))
    return {"same": False, "lines": lines or [_gap("too long to be shown")]}


def _ends_cut(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "title": cause.sentence,
        "why": " · ".join(cause.evidence),
        "kind": cause.kind,
        "strength": cause.strength,
    }


def _table(table: Table) -> dict[str, Any]:
    rows = [
        [shorten(text, TEXT_CHARS) for text in row] for row in table.rows[:ROWS_MAX]
    ]
    n_left = len(table.rows) - ROWS_MAX
    if n_left > 0:
        rows.append([f"… {n_left} more", *[""] * (len(table.heads) - 1)])
    return {"title": table.title, "heads": list(table.heads), "rows": rows}


def _code(found: RunDiff) -> Iterator[dict[str, Any]]:
    shown = shown_code(found)
    for change in shown[:CELLS_MAX]:
        yield {"title": _titled(change), "lines": _lines(change.side_by_side)}
    if len(shown) > CELLS_MAX:
        yield {"title": f"… {len(shown) - CELLS_MAX} more pieces of code", "lines": []}


def _titled(change: CodeChange) -> str:
    title = code_title(change)
    if change.side_by_side:
        return title
    return f"{title} (its text was not kept, or is too long to be shown)"


def _lines(rows: Iterable[SideLine]) -> list[dict[str, Any]]:
    every = list(rows)
    lines = [_line(row) for row in every[:LINES_MAX]]
    if len(every) > LINES_MAX:
        lines.append(_gap(f"… {len(every) - LINES_MAX} lines more"))
    return lines


def _gap(told: str) -> dict[str, Any]:
    return {**_line(SideLine("gap")), "left": told}


def _line(row: SideLine) -> dict[str, Any]:
    is_gap = row.kind == "gap"
    told = f"… {row.n_left_out} lines that are the same" if is_gap else row.a
    return {
        "a": row.n_a,
        "b": row.n_b,
        "left": shorten(told, LINE_CHARS),
        "right": shorten(row.b, LINE_CHARS),
        "kind": _KINDS.get(row.kind, row.kind),
    }
