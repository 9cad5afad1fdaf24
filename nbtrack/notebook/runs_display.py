"""How `%runs` shows its table: one static HTML table, and the same as plain text.

All of it is text of runs and goes through `escape`. The frame behind it is `.df`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.query import MISSING, value_of
from nbtrack.analysis.runs_table import frame_of, tag_texts
from nbtrack.records import RunRecord
from nbtrack.text import escape, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

ROWS_SHOWN = 50  # a table in a notebook stays under 100 KB
PARAMS_SHOWN = 8
METRICS_SHOWN = 6
_CELL_MAX = 40  # characters
_FIXED: tuple[str, ...] = ("name", "status", "started", "duration", "tags")
_COLORS = {
    "running": "#1f77b4",
    "finished": "#2ca02c",
    "failed": "#d62728",
    "stopped": "#e08a00",
    "crashed": "#8c564b",
    "pruned": "#7f7f7f",
}


@dataclass(frozen=True)
class RunsTable:
    """Runs as `%runs` shows them.

    `df` is the frame that `nbtrack.runs` gives, `records` what it was made from.
    """

    records: Sequence[RunRecord]
    columns: tuple[str, ...] = ()  # asked for with --cols; else chosen

    @property
    def df(self) -> pd.DataFrame:
        """The runs as a pandas frame, all of its columns."""
        return frame_of(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        if not self.records:
            return "no runs"
        head, rows = self._cells()
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
            for row in [head, *rows]
        ]
        return "\n".join([*lines, *self._more()])

    def _repr_html_(self) -> str:
        if not self.records:
            return "<div>no runs</div>"
        head, rows = self._cells()
        header = "".join(f"<th>{escape(name)}</th>" for name in head)
        body = "".join(f"<tr>{_html_row(head, row)}</tr>" for row in rows)
        more = "".join(f"<div>{escape(text)}</div>" for text in self._more())
        table = f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody>"
        return f"<table>{table}</table>{more}"

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        shown = self.records[:ROWS_SHOWN]
        columns = list(self.columns) or [*_FIXED, *_params(shown), *_metrics(shown)]
        rows = [[_cell(record, name) for name in columns] for record in shown]
        return [_short(name) for name in columns], rows

    def _more(self) -> list[str]:
        rest = len(self.records) - ROWS_SHOWN
        return [f"… and {rest} more; all are in .df"] if rest > 0 else []


def _html_row(head: Sequence[str], row: Sequence[str]) -> str:
    return "".join(map(_html_cell, head, row))


def _html_cell(name: str, text: str) -> str:
    color = _COLORS.get(text) if name == "status" else None
    style = f' style="color: {color}"' if color else ""
    return f"<td{style}>{escape(text)}</td>"


def _params(records: Sequence[RunRecord]) -> list[str]:
    """Params that differ between the runs first: they are what one looks for."""
    names = list(dict.fromkeys(name for r in records for name in r.params))

    def is_same(name: str) -> bool:
        return len({repr(value_of(r, f"params.{name}")) for r in records}) == 1

    differing = [name for name in names if not is_same(name)]
    rest = [name for name in names if name not in differing]
    return [f"params.{name}" for name in [*differing, *rest][:PARAMS_SHOWN]]


def _metrics(records: Sequence[RunRecord]) -> list[str]:
    """Metrics with a direction, by their best value; others by their last."""
    found = {name: m for r in records for name, m in r.metrics.items()}
    judged = [f"best.{name}" for name, m in found.items() if m.goal]
    rest = [f"metrics.{name}" for name, m in found.items() if not m.goal]
    return [*judged, *rest][:METRICS_SHOWN]


def _cell(record: RunRecord, name: str) -> str:
    special = _SPECIAL.get(name)
    value = special(record) if special else value_of(record, name)
    return _short(_shown(value))


def _shown(value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}" if math.isfinite(value) else str(value)
    return str(value)


def _short(text: str) -> str:
    return shorten(visible(" ".join(text.split())), _CELL_MAX)


def _started(record: RunRecord) -> str:
    if not record.started_at:
        return ""
    moment = datetime.fromisoformat(record.started_at).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _duration(record: RunRecord) -> str:
    seconds = record.duration_s
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_SPECIAL: dict[str, Callable[[RunRecord], str]] = {
    "started": _started,
    "duration": _duration,
    "tags": lambda record: ", ".join(tag_texts(record)),
}
