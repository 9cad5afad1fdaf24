"""How the difference of two versions is shown, as text and as one static page.

All text comes from a store and is escaped; long lists are cut, and that is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nbtrack.analysis.wording import number
from nbtrack.text import escape, shorten, shown_bytes, visible

if TYPE_CHECKING:
    from nbtrack.analysis.artifact_diff import ArtifactDiff
    from nbtrack.analysis.tensor_diff import TensorChange

ROWS_MAX = 200  # of one table on the page; to_frame() has all
LINES_MAX = 20  # of one part in the text
_TEXT_MAX = 120
_CELL = "padding:1px 10px 1px 0;text-align:left;vertical-align:top"

Row = tuple[str, ...]


def diff_text(diff: ArtifactDiff) -> str:
    """The difference as lines."""
    lines = [headline(diff)]
    for title, _, rows in _parts(diff):
        lines.append(f"{title}:")
        lines += [f"  {_line(row)}" for row in rows[:LINES_MAX]]
        if len(rows) > LINES_MAX:
            lines.append(f"  … {len(rows) - LINES_MAX} more: .to_frame()")
    return "\n".join(lines)


def diff_html(diff: ArtifactDiff) -> str:
    """The difference as tables."""
    parts = [f"<p><b>{escape(headline(diff))}</b></p>"]
    for title, heads, rows in _parts(diff):
        parts.append(_table(title, heads, rows))
    return f"<div style='font:13px/1.5 system-ui,sans-serif'>{''.join(parts)}</div>"


def headline(diff: ArtifactDiff) -> str:
    """The difference in one line."""
    a, b = (visible(record.ref) for record in (diff.a, diff.b))
    if diff.is_same:
        return f"{a} and {b} have the same content ({diff.n_same_files} files)"
    counts = ", ".join(
        f"{n} {word}"
        for word in ("added", "removed", "changed")
        if (n := sum(file.change == word for file in diff.files))
    )
    grown = diff.b.size_bytes - diff.a.size_bytes
    sign = "+" if grown >= 0 else "-"
    return (
        f"{a} → {b}: files {counts}, {diff.n_same_files} the same, "
        f"{sign}{shown_bytes(abs(grown))}"
    )


def _parts(diff: ArtifactDiff) -> Iterable[tuple[str, Row, list[Row]]]:
    """The tables that there are: title, heads, rows."""
    a, b = diff.a.ref, diff.b.ref
    files: list[Row] = [
        (f.path, f.change, _size(f.size_a), _size(f.size_b)) for f in diff.files
    ]
    if files:
        yield "files", ("file", "", a, b), files
    changed = [t for t in diff.tensors if t.change != "same"]
    if diff.tensors:
        n_same = len(diff.tensors) - len(changed)
        heads = ("tensor", "", a, b, "norm", "norm of the change", "largest change")
        yield f"tensors ({n_same} the same)", heads, [_tensor(t) for t in changed]
    if diff.unseen:
        unseen: list[Row] = list(diff.unseen.items())
        yield "not looked into", ("file", "why"), unseen
    values: list[Row] = [
        (f"{v.part} {v.name}", _value(v.a), _value(v.b)) for v in diff.values
    ]
    if values:
        yield "said of them", ("", a, b), values
    if diff.metrics:
        runs = [f"best of {name or 'no run'}" for name in diff.run_names]
        rows: list[Row] = [
            (m.name, number(m.a), number(m.b), number(m.run_a), number(m.run_b))
            for m in diff.metrics
        ]
        yield "metrics", ("", a, b, *runs), rows


def _tensor(t: TensorChange) -> Row:
    return (
        f"{t.path}/{t.name}", t.change, _form(t.shape_a, t.dtype_a),
        _form(t.shape_b, t.dtype_b), f"{_norm(t.norm_a)} → {_norm(t.norm_b)}",
        _norm(t.change_norm), _norm(t.max_abs_change),
    )  # fmt: skip


def _form(shape: Sequence[int] | None, dtype: str | None) -> str:
    if shape is None:
        return "–"
    return f"{'×'.join(map(str, shape)) or 'scalar'} {dtype}"


def _norm(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if math.isfinite(value) else repr(value)


def _size(size: int | None) -> str:
    return "–" if size is None else shown_bytes(size)


def _value(value: object) -> str:
    return "–" if value is None else shorten(str(value), _TEXT_MAX)


def _line(row: Row) -> str:
    return visible("  ".join(shorten(cell, _TEXT_MAX) for cell in row if cell))


def _table(title: str, heads: Row, rows: list[Row]) -> str:
    def cells(tag: str, row: Row) -> str:
        shown = (escape(shorten(cell, _TEXT_MAX)) for cell in row)
        return "".join(f'<{tag} style="{_CELL}">{cell}</{tag}>' for cell in shown)

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows[:ROWS_MAX])
    left = len(rows) - ROWS_MAX
    more = f"<p>… {left} more: <code>.to_frame()</code></p>" if left > 0 else ""
    return (
        f"<details open><summary>{escape(title)}</summary>"
        f'<table style="border-collapse:collapse"><tr>{cells("th", heads)}</tr>'
        f"{body}</table>{more}</details>"
    )
