"""How a slice is shown: one static page and the same as plain text.

No script and no reference to anything outside, so it is read in nbconvert, on a code
host and in the dark alike: colours are those of the page or stand out on both. Every
text is a user's and passes `text.escape`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nbtrack.guard import guard
from nbtrack.slices.closure import label_of
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    from nbtrack.records import CellRecord
    from nbtrack.slices.grade import Grade
    from nbtrack.slices.slice import Slice

ROWS_SHOWN = 60
SOURCE_SHOWN = 30_000  # characters; `--source` and `-o` give all of it
LINE_MAX, REASON_MAX = 70, 160
BOXES_PER_ROW, BOXES_MAX = 50, 1_000
GRADE_COLOURS = {"A": "#2e9d57", "B": "#5b84b1", "C": "#d98f00", "D": "#d64545"}
_KEPT, _TARGET, _DROPPED = "#4c8dd6", "#2e9d57", "#8a8a8a"
_BOX, _STEP = 9, 12  # pixels
_MUTED = "opacity:.68"
_CELL = "padding:1px 14px 1px 0;text-align:left;vertical-align:top;border:0"
_CODE = "font-family:ui-monospace,monospace;white-space:pre"


def headline(found: Slice) -> str:
    """The slice in one line.

    >>> from nbtrack.records import CellRecord
    >>> from nbtrack.slices.slice import slice_of_variable
    >>> made = CellRecord(0, "a", 1, "x = 1", "", "", ok=True)
    >>> headline(slice_of_variable([made], "x"))
    '1 of 1 cells made variable x'
    """
    n_all = len(found.kept) + len(found.dropped)
    return f"{len(found.kept)} of {n_all} cells made {found.target}"


def slice_text(found: Slice, *, verdict: Sequence[str] = ()) -> str:
    """A slice as plain text.

    Parameters
    ----------
    verdict
        What a proof has said, in lines.
    """
    grade = found.grade
    lines = [f"{headline(found)} · grade {grade.letter}", *verdict]
    lines += [f"  {line}" for line in grade.lines]
    width = max((len(label_of(kept.cell)) for kept in found.kept), default=0)
    for kept in found.kept[:ROWS_SHOWN]:
        label = label_of(kept.cell).ljust(width)
        lines.append(f"{label}  {first_line(kept.cell)}")
        lines.append(f"{' ' * width}  {_reasons(kept.reasons)}")
    lines += [_more(len(found.kept))] if len(found.kept) > ROWS_SHOWN else []
    lines += [f"unknown: {name}: {why}" for name, why in found.missing.items()]
    if found.dropped:
        labels = ", ".join(label_of(dropped.cell) for dropped in found.dropped)
        lines.append(f"not needed: {shorten(labels, 200)}")
    return "\n".join(map(visible, lines))


def slice_html(found: Slice, *, verdict: Sequence[str] = ()) -> str:
    """The same as a page."""
    grade = found.grade
    kept = [
        (label_of(k.cell), first_line(k.cell), _reasons(k.reasons)) for k in found.kept
    ]
    dropped = [
        (label_of(d.cell), first_line(d.cell), shorten(d.reason, REASON_MAX))
        for d in found.dropped
    ]
    parts = [
        "<div style='font:13px/1.5 system-ui,sans-serif;max-width:1080px'>",
        f"<div><b>{escape(headline(found))}</b>{grade_badge(grade)}</div>",
        _muted([*verdict, *grade.lines]),
        _strip(found),
        _table(kept),
        _muted(f"unknown: {name}: {why}" for name, why in found.missing.items()),
    ]
    if dropped:
        parts.append(_folded(f"{len(dropped)} cells are not needed", _table(dropped)))
    parts += [_script(found), "</div>"]
    return "".join(parts)


def grade_badge(grade: Grade) -> str:
    """The letter; what speaks against the result is said to who points at it.

    >>> from nbtrack.slices.grade import Grade
    >>> "grade B" in grade_badge(Grade("B", ("[3] draws random numbers unseeded",)))
    True
    """
    why = "&#10;".join(map(escape, grade.lines))
    style = "border:1px solid;border-radius:3px;padding:0 4px;margin-left:8px"
    return (
        f" <span title='{why}' style='{style};font-size:11px;"
        f"color:{GRADE_COLOURS[grade.letter]}'>grade {grade.letter}</span>"
    )


def first_line(cell: CellRecord) -> str:
    r"""What one knows a cell by.

    >>> from nbtrack.records import CellRecord
    >>> first_line(CellRecord(0, None, 1, "\n# load\nx = 1", "", ""))
    '# load …'
    """
    if cell.source is None:
        return "(its text was not kept)"
    lines = [line for line in cell.source.splitlines() if line.strip()]
    more = " …" if len(lines) > 1 else ""
    return shorten(lines[0] if lines else "", LINE_MAX) + more


def _reasons(reasons: Sequence[str]) -> str:
    return shorten("; ".join(reasons), REASON_MAX)


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    body = "".join(
        f"<tr style='border:0'><td style='{_CELL};{_MUTED}'>{escape(label)}</td>"
        f"<td style='{_CELL}'><code style='{_CODE}'>{escape(line)}</code></td>"
        f"<td style='{_CELL};{_MUTED}'>{escape(reason)}</td></tr>"
        for label, line, reason in rows[:ROWS_SHOWN]
    )
    more = _muted([_more(len(rows))]) if len(rows) > ROWS_SHOWN else ""
    style = "border-collapse:collapse;font-size:12px;margin:4px 0"
    return f"<table style='{style}'><tbody>{body}</tbody></table>{more}"


def _more(n: int) -> str:
    return f"… and {n - ROWS_SHOWN} more"


def _muted(lines: Iterable[str]) -> str:
    return "".join(f"<div style='{_MUTED}'>{escape(line)}</div>" for line in lines)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def _script(found: Slice) -> str:
    with guard("the script of a slice"):
        script = found.script
        source, notes = script.source, _muted(script.notes)
        # `escape` shows line breaks as escapes too: line by line.
        shown = "\n".join(map(escape, source[:SOURCE_SHOWN].split("\n")))
        rest = len(source) - SOURCE_SHOWN
        more = _muted([f"… {rest} characters more: %slice … -o run.py"])
        style = "max-height:24em;overflow:auto;font-size:12px;margin:2px 0"
        body = f"<pre style='{style}'>{shown}</pre>{more if rest > 0 else ''}{notes}"
        n_lines = len(source.splitlines())
        return _folded(f"the script that makes it again, {n_lines} lines", body)
    return ""


def _strip(found: Slice) -> str:
    """All executions in their order, the needed ones filled."""
    kept = {k.cell.seq for k in found.kept}
    seqs = sorted(kept | {d.cell.seq for d in found.dropped})
    if not seqs or len(seqs) > BOXES_MAX:
        return ""
    boxes = "".join(
        _box(n, is_kept=seq in kept, is_target=seq == found.target_seq)
        for n, seq in enumerate(seqs)
    )
    width = _STEP * min(len(seqs), BOXES_PER_ROW)
    height = _STEP * (1 + (len(seqs) - 1) // BOXES_PER_ROW)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f"{boxes}</svg>"
    )
    data = base64.b64encode(svg.encode()).decode("ascii")
    labels = ", ".join(label_of(k.cell) for k in found.kept)
    alt = escape(f"Executed cells in their order; needed: {shorten(labels, 300)}")
    style = "display:block;max-width:100%;margin:6px 0"
    return f"<img alt='{alt}' style='{style}' src='data:image/svg+xml;base64,{data}'>"


def _box(n: int, *, is_kept: bool, is_target: bool) -> str:
    x, y = _STEP * (n % BOXES_PER_ROW) + 1.5, _STEP * (n // BOXES_PER_ROW) + 1.5
    colour = _TARGET if is_target else _KEPT if is_kept else _DROPPED
    fill = colour if is_kept else "none"
    return (
        f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_BOX}" rx="1.5" '
        f'fill="{fill}" stroke="{colour}"/>'
    )
