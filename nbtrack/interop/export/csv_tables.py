"""Runs as CSV: `runs.csv`, a row a run, and `points.csv`, a row a point.

Columns of runs.csv are those of `nbtrack.runs`: `params.<name>`, `metrics.<name>` (the
last value), `best.<name>`, `best_step.<name>`, `tags.<name>`. No text in it starts a
formula in a spreadsheet. Numbers are written so that they are read back exact.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from nbtrack.interop.export.documents import to_json
from nbtrack.interop.export.folder import ExportFolder
from nbtrack.interop.export.task import ExportTask
from nbtrack.records import RunRecord
from nbtrack.text import csv_cell

_FIELDS = (
    "id", "name", "experiment", "status", "started_at", "ended_at", "duration_s",
    "group", "parent", "notes", "reason", "grade", "peak_rss_bytes", "peak_vram_bytes",
    "model_bytes",
)  # fmt: skip
_POINTS = ("run", "metric", "axis_of", "step", "value", "at")
_ROWS = 5_000  # that are written at once


def write_csv(task: ExportTask, folder: ExportFolder) -> None:
    """Write both tables."""
    runs = list(task.store.runs(trashed=None, ids=task.ids))
    runs.sort(key=lambda run: run.id)
    for run in runs:
        task.n_points += sum(m.n for m in (*run.metrics.values(), *run.system.values()))
    folder.put("runs.csv", "".join(_text(_runs(runs))))
    texts = _text(_points(task))
    pieces = (text.encode("utf-8", "backslashreplace") for text in texts)
    folder.stream("points.csv", pieces)


def _runs(runs: list[RunRecord]) -> Iterator[list[object]]:
    params = list(dict.fromkeys(name for run in runs for name in run.params))
    tags = list(dict.fromkeys(name for run in runs for name in run.tags))
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    yield [
        *_FIELDS,
        *(f"tags.{name}" for name in tags),
        *(f"params.{name}" for name in params),
        *(f"{kind}.{n}" for n in metrics for kind in ("metrics", "best", "best_step")),
    ]
    for run in runs:
        row: list[object] = [getattr(run, name) for name in _FIELDS]
        row += [_tag(run, name) for name in tags]
        row += [_param(run, name) for name in params]
        for name in metrics:
            found = run.metrics.get(name)
            row += [found.last, found.best, found.best_step] if found else [None] * 3
        yield row


def _tag(run: RunRecord, name: str) -> object:
    """A tag without a value is there, or not."""
    value = run.tags.get(name)
    return name in run.tags if value is None else value


def _param(run: RunRecord, name: str) -> object:
    if name not in run.params:
        return None
    value = run.params[name].value
    if isinstance(value, list | dict):
        return json.dumps(to_json(value), ensure_ascii=False)
    return value


def _points(task: ExportTask) -> Iterator[Iterable[object]]:
    yield _POINTS
    for run in task.ids:
        for series in task.store.logged_series(run):
            about = (run, series.name, series.axis_of)
            for points in task.store.logged_points(series):
                for row in zip(points.steps, points.values, points.at, strict=True):
                    yield (*about, *row)


def _text(rows: Iterator[Iterable[object]]) -> Iterator[str]:
    """The rows as text, some at a time."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    for n, row in enumerate(rows, 1):
        writer.writerow([csv_cell(value) for value in row])
        if n % _ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
