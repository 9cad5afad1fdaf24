"""How `%runs` shows its table: one static HTML table, and the same as plain text.

All of it is text of runs and goes through `escape`. The frame behind it is `.df`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.labels import labels_of
from nbtrack.analysis.query import MISSING, column
from nbtrack.analysis.runs_table import frame_of, names_of, tag_texts
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from nbtrack.store import Table

ROWS_SHOWN = 50  # a table in a notebook stays under 100 KB
PARAMS_SHOWN = 8
METRICS_SHOWN = 6
_CELL_MAX = 40  # characters
_FIXED: tuple[str, ...] = (
    "name", "status", "grade", "started", "duration", "changed", "tags",
)  # fmt: skip
_IF_ANY = ("grade", "changed", "tags")
_COLORS = {
    "running": "#1f77b4",
    "finished": "#2ca02c",
    "failed": "#d62728",
    "stopped": "#e08a00",
    "crashed": "#8c564b",
    "pruned": "#7f7f7f",
}
_GRADES = {"A": "#2ca02c", "B": "#5b84b1", "C": "#e08a00", "D": "#d62728"}


@dataclass(frozen=True)
class RunsTable:
    """Runs as `%runs` shows them.

    `df` is the frame that `nbtrack.runs` gives, `table` what it is made from.
    """

    table: Table
    columns: tuple[str, ...] = ()  # asked for with --cols; else chosen

    @property
    def df(self) -> pd.DataFrame:
        """The runs as a pandas frame, all of its columns."""
        return frame_of(self.table)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        if not self.table:
            return "no runs"
        return as_text(*self._cells(), self._more())

    def _repr_html_(self) -> str:
        if not self.table:
            return "<div>no runs</div>"
        return as_html(*self._cells(), self._more())

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        shown = self.table.take(self.table.ids[:ROWS_SHOWN])
        names = list(self.columns) or _chosen(shown)
        columns = [[short(text) for text in _texts(shown, name)] for name in names]
        rows = [list(row) for row in zip(*columns, strict=True)]
        heads = names if self.columns else _bare(names)
        return [short(name) for name in heads], rows

    def _more(self) -> list[str]:
        rest = len(self.table) - ROWS_SHOWN
        return [f"… and {rest} more; all are in .df"] if rest > 0 else []


def as_text(head: list[str], rows: list[list[str]], more: list[str]) -> str:
    """Cells as plain text, and lines under them."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join([*lines, *more])


def as_html(head: list[str], rows: list[list[str]], more: list[str]) -> str:
    """Cells as a static table, and lines under it."""
    header = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{_html_row(head, row)}</tr>" for row in rows)
    under = "".join(f"<div>{escape(text)}</div>" for text in more)
    table = f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody>"
    return f"<table>{table}</table>{under}"


def short(text: str) -> str:
    """Text of a run as one line that fits into a cell."""
    return shorten(visible(" ".join(text.split())), _CELL_MAX)


def _chosen(table: Table) -> list[str]:
    """What one looks for first stands first; tags only where there are any."""
    fixed = [n for n in _FIXED if n not in _IF_ANY or any(_texts(table, n))]
    return [*fixed, *_metrics(table), *_params(table)]


def _bare(names: list[str]) -> list[str]:
    """Heads as a query spells them: a bare name is a metric's best, then a param."""
    short = [name.partition(".")[2] or name for name in names]
    return [
        name if name.startswith("params.") and bare in short[:at] else bare
        for at, (name, bare) in enumerate(zip(names, short, strict=True))
    ]


def _html_row(head: Sequence[str], row: Sequence[str]) -> str:
    return "".join(map(_html_cell, head, row))


def _html_cell(name: str, text: str) -> str:
    color = {"status": _COLORS, "grade": _GRADES}.get(name, {}).get(text)
    style = "white-space: nowrap" + (f"; color: {color}" if color else "")
    return f'<td style="{style}">{escape(text)}</td>'


def _params(table: Table) -> list[str]:
    """Params that differ between the runs first: they are what one looks for."""
    names = names_of(table, table.params)

    def is_same(name: str) -> bool:
        return len(set(map(repr, column(table, f"params.{name}")))) == 1

    differing = [name for name in names if not is_same(name)]
    # Details of objects (`optimizer.eps`) tell something only where they differ.
    rest = [name for name in names if name not in differing and "." not in name]
    return [f"params.{name}" for name in [*differing, *rest][:PARAMS_SHOWN]]


def _metrics(table: Table) -> list[str]:
    """Metrics with a direction, by their best value; others by their last."""
    names = names_of(table, table.metrics)

    def has_goal(name: str) -> bool:
        cells = table.metrics[name]
        return any(cells[run].goal for run in table.ids if run in cells)

    judged = [f"best.{name}" for name in names if has_goal(name)]
    rest = [f"metrics.{name}" for name in names if f"best.{name}" not in judged]
    return [*judged, *rest][:METRICS_SHOWN]


def _texts(table: Table, name: str) -> list[str]:
    special = _SPECIAL.get(name)
    return special(table) if special else list(map(_shown, column(table, name)))


def _shown(value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}" if math.isfinite(value) else str(value)
    return str(value)


def _started(text: str) -> str:
    if not text:
        return ""
    moment = datetime.fromisoformat(text).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_SPECIAL: dict[str, Callable[[Table], list[str]]] = {
    "started": lambda table: list(map(_started, table.fields["started_at"])),
    "duration": lambda table: list(map(_duration, table.fields["duration_s"])),
    "changed": labels_of,
    "tags": lambda table: [
        ", ".join(tag_texts(table.tags.get(run, {}))) for run in table.ids
    ],
}
