"""The difference of two runs as one static page: tables, code side by side.

No script, no style sheet and no reference to anything outside, so it is read in
nbconvert and on a code host too. Colours are translucent over those of the page: they
stand on white and on black. Every text is of runs and passes `text.escape`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbtrack.analysis.diff.causes import verdict
from nbtrack.analysis.diff.lines import SideLine, Words, words
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
from nbtrack.analysis.diff.view import CELLS_MAX, causes_title
from nbtrack.text import escape, shorten

if TYPE_CHECKING:
    from nbtrack.analysis.diff.cause import Cause
    from nbtrack.analysis.diff.code import CodeChange
    from nbtrack.analysis.diff.run_diff import RunDiff

ROWS_MAX = 200  # of one table; to_frame() has all
CAUSES_MAX = 20
LINES_MAX = 400  # rows of one piece of code
_LINE_MAX = 500
_TEXT_MAX = 160
_PAGE = "font:13px/1.5 system-ui,sans-serif;max-width:1080px"
_MUTED = "color:var(--jp-ui-font-color2,inherit);opacity:.8"
_BORDER = "1px solid var(--jp-border-color2,rgba(128,128,128,.35))"
_CELL = "padding:2px 12px 2px 4px;text-align:left;vertical-align:top;border:0"
_CODE = "font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:12px"
_A, _B = "rgba(214,69,69,.13)", "rgba(46,157,87,.13)"
_MARK_A, _MARK_B = "rgba(214,69,69,.38)", "rgba(46,157,87,.38)"
_BADGE = "border:1px solid;border-radius:3px;padding:0 4px;font-size:11px"
_STRENGTHS = {"likely": "#d64545", "possible": "#d98f00", "unlikely": "#8a8a8a"}


def diff_html(diff: RunDiff) -> str:
    """The difference as a page.

    Examples
    --------
    >>> from nbtrack.analysis.diff.run_diff import diff_sides
    >>> from nbtrack.analysis.diff.side import Side
    >>> from nbtrack.records import RunRecord
    >>> one = Side(RunRecord("1", "<i>", "e", "finished", "2026", None, 1))
    >>> "<i>" in diff_html(diff_sides(one, one))
    False
    """
    tables = tables_of(diff)
    parts = [
        _run(heading(diff.a, ""), "A", _A),
        _run(heading(diff.b, ""), "B", _B),
        f"<p style='margin:6px 0'><b>{escape(verdict(diff))}</b></p>",
        _muted(metrics_line(diff)) if diff.metrics_differ else "",
        _causes(diff),
        *map(_table, [table for table in tables if table.title == FIRST]),
        *_code_parts(diff),
        *map(_table, [table for table in tables if table.title != FIRST]),
        _table(metrics_table(diff)),
        _same(diff),
        _unseen(diff),
    ]
    return f"<div style='{_PAGE}'>{''.join(parts)}</div>"


def _run(text: str, which: str, colour: str) -> str:
    chip = f"background-color:{colour};border-radius:3px;padding:0 6px;margin-right:8px"
    return (
        f"<div><span style='{chip}'><b>{which}</b></span>{escape(text.strip())}</div>"
    )


def _causes(diff: RunDiff) -> str:
    causes = diff.causes
    if not causes:
        return ""
    rows = "".join(map(_cause, causes[:CAUSES_MAX]))
    more = _muted(f"… {len(causes) - CAUSES_MAX} more: .causes")
    return (
        f"<div style='margin-top:6px'><b>{escape(causes_title(diff))}</b></div>"
        f"<ol style='margin:2px 0 6px 0;padding-left:24px'>{rows}</ol>"
        f"{more if len(causes) > CAUSES_MAX else ''}"
    )


def _cause(cause: Cause) -> str:
    colour = _STRENGTHS[cause.strength]
    badge = f"{_BADGE};color:{colour}"
    evidence = escape(" · ".join(cause.evidence))
    why = f"<div style='{_MUTED};font-size:12px'>{evidence}</div>"
    return (
        f"<li style='margin:2px 0'>{escape(cause.sentence)} "
        f"<span style='{badge}'>{cause.strength}</span>"
        f"{why if cause.evidence else ''}</li>"
    )


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    heads = "".join(_head(text) for text in table.heads)
    body = "".join(_row(table, row) for row in table.rows[:ROWS_MAX])
    left = len(table.rows) - ROWS_MAX
    more = _muted(f"… {left} more: .to_frame()") if left > 0 else ""
    grid = "border-collapse:collapse;font-size:12px;margin:2px 0 8px 0"
    inner = (
        f"<table style='{grid}'><thead><tr style='border-bottom:{_BORDER}'>{heads}</tr>"
        f"</thead><tbody>{body}</tbody></table>{more}"
    )
    return _open(table.title, inner)


def _head(text: str) -> str:
    return f"<th style='{_CELL};{_MUTED};font-weight:normal'>{escape(text)}</th>"


def _row(table: Table, row: tuple[str, ...]) -> str:
    cells = []
    for head, text in zip(table.heads, row, strict=True):
        colour = {"A": _A, "B": _B}.get(head[-1:], "")
        is_value = head in ("A", "B") or head.endswith((", A", ", B"))
        tint = f";background-color:{colour}" if is_value and "from" not in head else ""
        shown = escape(shorten(text, _TEXT_MAX))
        cells.append(f"<td style='{_CELL}{tint};overflow-wrap:anywhere'>{shown}</td>")
    return f"<tr style='border:0;background:none'>{''.join(cells)}</tr>"


def _code_parts(diff: RunDiff) -> Iterator[str]:
    shown = shown_code(diff)
    for change in shown[:CELLS_MAX]:
        yield _code(change)
    if len(shown) > CELLS_MAX:
        yield _muted(f"… {len(shown) - CELLS_MAX} more pieces of code: .code")


def _code(change: CodeChange) -> str:
    rows = change.side_by_side
    if not rows:
        inner = _muted("its text was not kept, or is too long to be shown")
        return _open(code_title(change), inner)
    body = "".join(map(_code_row, rows[:LINES_MAX]))
    left = len(rows) - LINES_MAX
    more = _muted(f"… {left} lines more: .unified") if left > 0 else ""
    grid = (
        f"border-collapse:collapse;table-layout:fixed;width:100%;{_CODE};"
        f"border:{_BORDER};margin:2px 0 8px 0"
    )
    columns = "<col style='width:3em'><col>" * 2
    inner = (
        f"<div style='max-height:36em;overflow:auto'><table style='{grid}'>"
        f"<colgroup>{columns}</colgroup><tbody>{body}</tbody></table></div>{more}"
    )
    is_folded = change.change in ("layout", "secret")
    return _open(code_title(change), inner, is_open=not is_folded)


def _code_row(row: SideLine) -> str:
    if row.kind == "gap":
        style = f"{_CELL};{_MUTED};text-align:center"
        return (
            f"<tr style='background:none'><td colspan='4' style='{style}'>"
            f"… {row.n_left_out} lines that are the same …</td></tr>"
        )
    a, b = row.a.expandtabs(4)[:_LINE_MAX], row.b.expandtabs(4)[:_LINE_MAX]
    whole: tuple[Words, Words] = (((a, False),), ((b, False),))
    left, right = words(a, b) if row.kind == "changed" else whole
    is_a = row.kind in ("changed", "only in a")
    is_b = row.kind in ("changed", "only in b")
    return (
        "<tr style='background:none'>"
        f"{_side(row.n_a, left, _MARK_A, _A if is_a else '')}"
        f"{_side(row.n_b, right, _MARK_B, _B if is_b else '')}</tr>"
    )


def _side(n: int | None, parts: Words, mark: str, colour: str) -> str:
    tint = f";background-color:{colour}" if colour and n is not None else ""
    number = f"padding:0 6px;text-align:right;vertical-align:top;border:0;{_MUTED}"
    text = (
        "padding:0 6px;text-align:left;vertical-align:top;border:0;"
        "white-space:pre-wrap;overflow-wrap:anywhere"
    )
    shown = "".join(_word(part, mark, changed=changed) for part, changed in parts)
    count = f"<td style='{number}{tint}'>{n or ''}</td>"
    return f"{count}<td style='{text}{tint}'>{shown}</td>"


def _word(text: str, mark: str, *, changed: bool) -> str:
    shown = escape(text)
    if not changed or not text:
        return shown
    return f"<span style='background-color:{mark};border-radius:2px'>{shown}</span>"


def _same(diff: RunDiff) -> str:
    same = same_line(diff)
    return _muted(f"The same: {same}") if same else ""


def _unseen(diff: RunDiff) -> str:
    if not diff.unseen:
        return ""
    lines = "".join(_muted(text) for text in diff.unseen)
    return _open(f"Not recorded ({len(diff.unseen)})", lines, is_open=False)


def _open(title: str, inner: str, *, is_open: bool = True) -> str:
    return (
        f"<details{' open' * is_open} style='margin:4px 0'><summary><b>{escape(title)}"
        f"</b></summary>{inner}</details>"
    )


def _muted(text: str) -> str:
    return f"<div style='{_MUTED};overflow-wrap:anywhere'>{escape(text)}</div>"
