"""A comparison as a still table and picture: what a file, a report or a terminal shows.

Best values are bold and green, worst ones red, deltas to the baseline stand behind the
value in the colour of their direction. No script, nothing fetched; all text of runs is
escaped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.comparing.columns import Column, delta_of
from nbtrack.analysis.comparing.data import Compared
from nbtrack.analysis.comparing.overlay import Drawn, Overlay, Wanted
from nbtrack.analysis.svg import (
    PALETTE,
    Line,
    as_picture,
    chart_svg,
    lines_alt,
    with_names,
)
from nbtrack.analysis.wording import duration, number
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    from nbtrack.records import Goal

ROWS_SHOWN = 50  # in a notebook; a report asks for more
COLUMNS_SHOWN = 16
CURVE_POINTS = 200
_CELL_MAX = 40
_BEST, _WORST, _GOOD, _BAD = "#2e9d57", "#d64545", "#2e9d57", "#d64545"
_CELL = "padding:1px 8px;text-align:right;white-space:nowrap"
_HEAD = f"{_CELL};font-weight:600;border-bottom:1px solid #8886"


def still_html(
    found: Compared, overlay: Overlay | None = None, *, rows: int = ROWS_SHOWN
) -> str:
    """The table as static HTML, with the curves of the selection as a picture."""
    if not found.ids:
        return "<div>no runs</div>"
    chart = _chart(found, overlay) if overlay is not None else ""
    return f"<div style='font:13px system-ui'>{_table(found, rows)}{chart}</div>"


def still_text(found: Compared, *, rows: int = ROWS_SHOWN) -> str:
    """The table as plain text: `*` behind the best of a column.

    Examples
    --------
    >>> import nbtrack
    >>> from nbtrack.analysis.comparing.data import CompareState, compared
    >>> with nbtrack.start("base"):
    ...     nbtrack.log(loss=0.5)
    >>> still_text(compared(nbtrack.open(), CompareState())).split()[:2]
    ['run', 'status']
    """
    if not found.ids:
        return "no runs"
    columns = found.shown[:COLUMNS_SHOWN]
    n_shown = min(rows, len(found.ids))
    cells = [["run", *(head_text(column) for column in columns)]]
    for at in range(n_shown):
        texts = [cell_text(column, at) for column in columns]
        stars = ["*" if at in column.marks.best else "" for column in columns]
        own = [text + star for text, star in zip(texts, stars, strict=True)]
        cells.append([_short(found.names[at]), *own])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([*lines, *_more(found, n_shown)])


def _chart(found: Compared, overlay: Overlay) -> str:
    """The curves of the selected runs as one picture; "" where there are none."""
    state, metric = found.state, found.metric()
    wanted = Wanted(metric, state.x, state.smooth, points=CURVE_POINTS)
    names = dict(zip(found.ids, found.names, strict=True))
    drawn = [overlay.curve(run, wanted) for run in state.selected if run in names]
    lines = [
        _line(curve, names[curve.key], PALETTE[at % len(PALETTE)])
        for at, curve in enumerate(drawn)
        if curve is not None
    ]
    if not lines:
        return ""
    # Names below: beside the title there is room for two letters of each.
    svg = chart_svg(metric, lines, x_label=state.x, legend=False)
    return as_picture(with_names(svg, lines), lines_alt(metric, lines))


def _line(curve: Drawn, name: str, colour: str) -> Line:
    y = curve.y if curve.smooth is None else curve.smooth
    return Line(name, curve.x.tolist(), y.tolist(), colour)


def _table(found: Compared, rows: int) -> str:
    columns = found.shown[:COLUMNS_SHOWN]
    base = base_row(found)
    head = "".join(f"<th style='{_HEAD}'>{escape(head_text(c))}</th>" for c in columns)
    n_shown = min(rows, len(found.ids))
    body = "".join(
        f"<tr>{_name_cell(found, at)}"
        + "".join(_cell(column, at, base) for column in columns)
        + "</tr>"
        for at in range(n_shown)
    )
    more = "".join(f"<div>{escape(text)}</div>" for text in _more(found, n_shown))
    table = f"<thead><tr><th style='{_HEAD}'>run</th>{head}</tr></thead>"
    return (
        "<table style='border-collapse:collapse;font-variant-numeric:tabular-nums'>"
        f"{table}<tbody>{body}</tbody></table>{more}"
    )


def _name_cell(found: Compared, at: int) -> str:
    is_base = found.ids[at] == found.state.baseline
    mark = " <span style='opacity:.6'>(baseline)</span>" if is_base else ""
    style = _CELL.replace("right", "left")
    return f"<th style='{style}'>{escape(_short(found.names[at]))}{mark}</th>"


def _cell(column: Column, at: int, base: int | None) -> str:
    style, marks = _CELL, column.marks
    if at in marks.best:
        style += f";font-weight:600;color:{_BEST}"
    elif at in marks.worst:
        style += f";color:{_WORST}"
    text = escape(cell_text(column, at))
    return f"<td style='{style}'>{text}{_delta(column, at, base)}</td>"


def _delta(column: Column, at: int, base: int | None) -> str:
    text = delta_text(column, at, base)
    if not text or base is None:
        return ""
    delta = delta_of(column.values[at], column.values[base]) or 0.0
    colour = direction(delta, column.goal)
    tone = f";color:{colour}" if colour else ""
    return f" <span style='font-size:11px{tone}'>{escape(text)}</span>"


def delta_text(column: Column, at: int, base: int | None) -> str:
    """How far a metric is from the baseline's, with its sign; "" where it is not.

    Examples
    --------
    >>> delta_text(Column("best.loss", "metric", [0.5, 0.75], "min"), 1, 0)
    '+0.2500'
    """
    if base is None or base == at or column.kind != "metric":
        return ""
    delta = delta_of(column.values[at], column.values[base])
    if delta is None or math.isnan(delta) or delta == 0:
        return ""
    return f"{'+' if delta > 0 else ''}{number(delta)}"


def direction(delta: float, goal: Goal | None) -> str:
    """The colour of a change: green for better, red for worse, none without a goal.

    Examples
    --------
    >>> direction(-0.1, "min") == direction(0.1, "max") != direction(0.1, "min")
    True
    """
    if goal is None or delta == 0:
        return ""
    return _GOOD if (delta < 0) == (goal == "min") else _BAD


def base_row(found: Compared) -> int | None:
    """Where the baseline stands among the runs."""
    base = found.state.baseline
    return list(found.ids).index(base) if base in found.ids else None


def head_text(column: Column) -> str:
    """What a column is called: without `best.` or `params.` before it."""
    space, _, rest = column.name.partition(".")
    return _short(rest if space in ("best", "metrics", "params") and rest else space)


def cell_text(column: Column, at: int) -> str:
    """A value of a column as it is shown, with the step of a best one."""
    value = column.values[at]
    if value is None:
        return ""
    if column.name == "started_at":
        return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M:%S}"
    if column.name == "duration_s":
        return duration(value) if value >= 60 else f"{value:.1f} s"
    text = _shown(value, column)
    step = column.steps[at] if column.steps is not None else None
    return text if step is None else f"{text} @ {step}"


def _shown(value: Any, column: Column) -> str:
    if not isinstance(value, float):
        return _short(str(value))
    return number(value) if column.kind == "metric" else f"{value:.6g}"


def _short(text: str) -> str:
    return shorten(visible(" ".join(text.split())), _CELL_MAX)


def _more(found: Compared, n_shown: int) -> list[str]:
    n_columns = len(found.shown) - COLUMNS_SHOWN
    lines: Sequence[tuple[int, str]] = (
        (len(found.ids) - n_shown, "more runs; all are in .df"),
        (n_columns, "more columns; all are in .df"),
    )
    return [f"… and {n} {what}" for n, what in lines if n > 0]
