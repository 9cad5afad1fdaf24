"""What a sweep leaves in the notebook: a table and a picture that need nothing.

No script, nothing fetched; every text of the user's is escaped. The picture is an
`img`, as sanitizers drop the elements of a drawing and leave its texts.
"""

from __future__ import annotations

from nbtrack.analysis.svg import GHOST, PALETTE, Line, as_picture, chart_svg
from nbtrack.analysis.wording import number, sparkline
from nbtrack.notebook.panels.sweep_wire import curve_of, label_text, ranked
from nbtrack.records import is_better
from nbtrack.sweeps.sweep import Row, Sweep
from nbtrack.sweeps.words import headline, summary
from nbtrack.text import escape, shorten

ROWS_SHOWN = 20
_CELL = "padding:1px 0 1px 16px;text-align:right;white-space:nowrap;border:0"
_MUTED = "opacity:.68"


def still_bundle(sweep: Sweep, line: str) -> dict[str, str]:
    """The mime bundle of a sweep as it is now; `line` is the one that asked for it."""
    return {"text/html": still_html(sweep, line), "text/plain": summary(sweep)}


def still_html(sweep: Sweep, line: str) -> str:
    """Headline, the best so far as a curve, the leaderboard, notes."""
    rows = ranked(sweep)
    notes = [*sweep.notes, *([sweep.error] if sweep.error else [])]
    parts = [
        f"<div style='font-weight:600'>{escape(headline(sweep))}</div>",
        f"<div style='{_MUTED}'><code>{escape(shorten(line, 400))}</code></div>",
        *(f"<div style='{_MUTED}'>{escape(note)}</div>" for note in notes),
        "<div style='display:flex;flex-wrap:wrap;gap:4px 24px;align-items:start'>",
        f"{_table(sweep, rows)}{_picture(sweep, rows)}</div>",
    ]
    return f"<div style='font:13px/1.45 system-ui,sans-serif'>{''.join(parts)}</div>"


def best_so_far(
    points: list[list[float]], goal: str
) -> tuple[list[float], list[float]]:
    """The steps of the best value, as x and y of a line.

    >>> best_so_far([[0, 3.0], [1, 5.0], [2, 1.0]], "min")
    ([0, 1, 2, 2], [3.0, 3.0, 3.0, 1.0])
    """
    xs: list[float] = []
    ys: list[float] = []
    for at, value in points:
        if ys:
            xs, ys = [*xs, at], [*ys, ys[-1]]
        if not ys:
            xs, ys = [at], [value]
        elif is_better(value, ys[-1], "min" if goal == "min" else "max"):
            xs, ys = [*xs, at], [*ys, value]
    return xs, ys


def _picture(sweep: Sweep, rows: list[Row]) -> str:
    points = curve_of(rows)
    if len(points) < 2:
        return ""
    xs, ys = best_so_far(points, sweep.aim.goal)
    lines = [
        *(Line("", [x], [y], GHOST, is_ghost=True) for x, y in points),
        Line("best so far", xs, ys, PALETTE[0]),
    ]
    svg = chart_svg(f"best {sweep.aim.metric}", lines, x_label="trial", legend=False)
    return as_picture(svg, f"best {sweep.aim.metric} so far, by trial: {sparkline(ys)}")


def _table(sweep: Sweep, rows: list[Row]) -> str:
    if not rows:
        return "<div>no trials</div>"
    names = [*sweep.space.names]
    head = "".join(
        f"<th style='{_CELL};font-weight:600'>{escape(shorten(text, 40))}</th>"
        for text in ("#", sweep.aim.metric, *names, "status")
    )
    body = "".join(_row(row, names) for row in rows[:ROWS_SHOWN])
    n_more = len(rows) - ROWS_SHOWN
    more = f"<div style='{_MUTED}'>… and {n_more} more</div>" if n_more > 0 else ""
    return (
        "<div><table style='border-collapse:collapse;"
        "font-variant-numeric:tabular-nums'>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}</div>"
    )


def _row(row: Row, names: list[str]) -> str:
    labels = [label_text(row.labels[n]) if n in row.labels else "" for n in names]
    status = shorten(row.error, 80) if row.error else row.status
    texts = [str(row.number), number(row.value) if row.value is not None else ""]
    cells = "".join(
        f"<td style='{_CELL}'>{escape(text)}</td>" for text in (*texts, *labels, status)
    )
    return f"<tr style='background:none'>{cells}</tr>"
