"""Runs as parquet: one file for each table, in a folder.

    runs, params, tags, metrics, points, facts, texts, inputs, notices, media,
    artifacts, artifact_files (.parquet), and files/<ab>/<sha256>

`run` is the id of a run. `value` of params and facts, `data` of rich values and the
like are JSON, since one column holds all types; numbers and texts stand beside it in
`number` and `text`. Times of runs are timestamps, those of points seconds since the
epoch. NaN and infinities are what they are. Points come in row groups, so that no more
than one is in memory; the runs stand in the order of their start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from nbtrack.interop.export.documents import RUN_FIELDS, Document, document_of
from nbtrack.interop.export.folder import VERSION, ExportFolder, state_of
from nbtrack.interop.export.json_lines import copy_files
from nbtrack.interop.export.task import ExportTask
from nbtrack.interop.parquet_files import parquet_module
from nbtrack.store.chunks import Columns
from nbtrack.store.logged import LoggedSeries

POINTS = "points"
GROUP_POINTS = 131_072  # of a row group: two million points took 160 MB with twice
GROUP_ROWS = 10_000
STATE, FORMAT_VERSION = b"nbtrack.state", b"nbtrack.version"
_TEXTS, _WHOLE, _FLOATS, _TIMES = "string", "int64", "float64", "timestamp"
_TYPES = {
    "started_at": _TIMES, "ended_at": _TIMES, "trashed_at": _TIMES,
    "duration_s": _FLOATS, "execution": _WHOLE, "fork_step": _WHOLE,
    "peak_rss_bytes": _WHOLE, "peak_vram_bytes": _WHOLE, "model_bytes": _WHOLE,
}  # fmt: skip
# By table, its columns after `run`, and where the rows of a document are.
_TABLES: dict[str, dict[str, str]] = {
    "params": {
        "name": _TEXTS, "value": _TEXTS, "number": _FLOATS, "text": _TEXTS,
        "origin": _TEXTS, "cell": _TEXTS,
    },
    "tags": {"name": _TEXTS, "value": _TEXTS},
    "metrics": {
        "name": _TEXTS, "goal": _TEXTS, "n": _WHOLE, "last": _FLOATS,
        "last_step": _WHOLE, "min": _FLOATS, "min_step": _WHOLE, "max": _FLOATS,
        "max_step": _WHOLE, "best": _FLOATS, "best_step": _WHOLE, "n_nan": _WHOLE,
        "first_nan_step": _WHOLE, "thinned": _WHOLE,
    },
    "facts": {
        "name": _TEXTS, "value": _TEXTS, "number": _FLOATS, "text": _TEXTS,
        "missing": _TEXTS,
    },
    "texts": {
        "role": _TEXTS, "name": _TEXTS, "digest": _TEXTS, "body": _TEXTS,
        "n_redacted": _WHOLE, "missing": _TEXTS,
    },
    "inputs": {
        "name": _TEXTS, "type": _TEXTS, "digest": _TEXTS, "size_bytes": _WHOLE,
        "n_rows": _WHOLE, "detail": _TEXTS, "missing": _TEXTS,
    },
    "notices": {"notice": _TEXTS},
    "media": {
        "name": _TEXTS, "type": _TEXTS, "step": _WHOLE, "at": _FLOATS, "mime": _TEXTS,
        "digest": _TEXTS, "size_bytes": _WHOLE, "data": _TEXTS,
    },
    "artifacts": {
        "name": _TEXTS, "version": _WHOLE, "type": _TEXTS, "role": _TEXTS,
        "step": _WHOLE, "metrics": _TEXTS, "path": _TEXTS, "at": _TEXTS,
        "digest": _TEXTS, "size_bytes": _WHOLE, "description": _TEXTS,
        "metadata": _TEXTS, "aliases": _TEXTS, "tags": _TEXTS, "gone_why": _TEXTS,
    },
}  # fmt: skip
_FILE_COLUMNS = {
    "artifact": _TEXTS, "version": _WHOLE, "path": _TEXTS, "digest": _TEXTS,
    "size_bytes": _WHOLE, "uri": _TEXTS, "etag": _TEXTS,
}  # fmt: skip
# Columns whose values are of any type, or nested.
IN_JSON = ("value", "detail", "data", "metrics", "metadata", "aliases", "tags")
Row = Mapping[str, Any]


def write_parquet(task: ExportTask, folder: ExportFolder) -> None:
    """Write the tables; those that have all of it already are left alone."""
    parquet_module()  # before anything is written
    folder.mark("parquet")
    states = []
    for run in task.records():
        document = document_of(task.store, run)
        task.count(document)
        copy_files(task, folder, document)
        states.append(state_of(document))
    state = state_of(states).encode()
    tables = {"runs": _run_columns(), **_TABLES, "artifact_files": _FILE_COLUMNS}
    todo = [name for name in tables if not _is_there(folder, name, state)]
    with ExitStack() as stack:
        written = {
            name: stack.enter_context(_Table(folder, name, tables[name], state))
            for name in todo
        }
        for run in task.records() if todo else ():
            _add(written, document_of(task.store, run))
    if not _is_there(folder, POINTS, state):
        with _Points(folder, state) as points:
            for id_ in task.ids:
                for series in task.store.logged_series(id_):
                    for piece in task.store.logged_points(series):
                        points.add(id_, series, piece)


def _run_columns() -> dict[str, str]:
    return {name: _TYPES.get(name, _TEXTS) for name in RUN_FIELDS}


def _add(written: Mapping[str, _Table], document: Document) -> None:
    for name, table in written.items():
        for row in _rows(name, document):
            table.add(row)


def _rows(name: str, document: Document) -> Iterator[Row]:
    """The rows of a run in a table."""
    run = {"run": document["id"]}
    if name == "runs":
        yield document
    elif name == "notices":
        yield from ({**run, "notice": text} for text in document["notices"])
    elif name == "artifact_files":
        for use in document["artifacts"]:
            about = {**run, "artifact": use["name"], "version": use["version"]}
            yield from ({**about, **file} for file in use["files"])
    elif name in ("params", "facts"):
        yield from ({**run, **row, **_typed(row["value"])} for row in document[name])
    else:
        yield from ({**run, **row} for row in document[name])


def _typed(value: Any) -> Row:  # Any: what JSON can hold
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, dict) and set(value) == {"$float"}:
        return {"number": float(value["$float"])}
    return {"number": float(value)} if is_number else {"text": _text(value)}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_there(folder: ExportFolder, name: str, state: bytes) -> bool:
    path = folder.path / f"{name}.parquet"
    try:
        kept = parquet_module().read_schema(path).metadata or {}
    except (OSError, ValueError):
        return False
    if kept.get(STATE) != state:
        return False
    folder.n_unchanged += 1
    return True


class _Writing:
    """A parquet file on its way, which is there when all of it is written."""

    def __init__(self, folder: ExportFolder, name: str, schema: Any) -> None:
        self._folder = folder
        self._name = f"{name}.parquet"
        self._schema = schema
        self._path = folder.path / f".{name}.parquet.part"
        self._writer: Any = None

    def __enter__(self) -> Any:
        self._writer = parquet_module().ParquetWriter(
            self._path, self._schema, compression="zstd"
        )
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.flush()
            self._writer.close()
            if kind is None:
                self._folder.take(self._path, self._name)
        finally:
            self._path.unlink(missing_ok=True)

    def flush(self) -> None:
        """Write what waits."""


class _Table(_Writing):
    """A table whose rows are dicts."""

    def __init__(
        self, folder: ExportFolder, name: str, columns: Mapping[str, str], state: bytes
    ) -> None:
        first = {} if name == "runs" else {"run": _TEXTS}
        self._columns = {**first, **columns}
        super().__init__(folder, name, _schema(self._columns, state))
        self._json = () if name in ("runs", "tags") else IN_JSON
        self._rows: list[list[Any]] = []

    def add(self, row: Row) -> None:
        """One row more."""
        self._rows.append([self._cell(row, name) for name in self._columns])
        if len(self._rows) >= GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits, as a row group."""
        import pyarrow as pa

        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(list(column), type=field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.table(arrays, schema=self._schema))
        self._rows = []

    def _cell(self, row: Row, name: str) -> Any:
        value = row.get(name)
        if name in self._json:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        if isinstance(value, dict):  # a number that JSON lacks
            return float(value["$float"]) if "$float" in value else None
        if value is not None and self._columns[name] == _TIMES:
            return _moment(value)
        return value


class _Points(_Writing):
    """The points, column by column."""

    def __init__(self, folder: ExportFolder, state: bytes) -> None:
        columns = {
            "run": _TEXTS, "metric": _TEXTS, "axis_of": _TEXTS, "step": _WHOLE,
            "value": _FLOATS, "at": _FLOATS,
        }  # fmt: skip
        super().__init__(folder, POINTS, _schema(columns, state))
        self._waiting: list[Any] = []
        self._n_waiting = 0

    def add(self, run: str, series: LoggedSeries, points: Columns) -> None:
        """A piece of a series."""
        import numpy as np
        import pyarrow as pa

        n = len(points.values)
        named = [run, series.name, series.axis_of]
        texts = [pa.repeat(pa.scalar(text, pa.string()), n) for text in named]
        numbers = [
            pa.array(np.frombuffer(column, dtype=kind))
            for column, kind in (
                (points.steps, "int64"), (points.values, "float64"),
                (points.at, "float64"),
            )
        ]  # fmt: skip
        self._waiting.append(pa.table([*texts, *numbers], schema=self._schema))
        self._n_waiting += n
        if self._n_waiting >= GROUP_POINTS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        import pyarrow as pa

        if self._waiting:
            table = pa.concat_tables(self._waiting)
            self._writer.write_table(table, row_group_size=GROUP_POINTS)
        self._waiting, self._n_waiting = [], 0


def _schema(columns: Mapping[str, str], state: bytes) -> Any:
    import pyarrow as pa

    kinds = {
        _TEXTS: pa.string(), _WHOLE: pa.int64(), _FLOATS: pa.float64(),
        _TIMES: pa.timestamp("us", "UTC"),
    }  # fmt: skip
    about = {FORMAT_VERSION: str(VERSION).encode(), STATE: state}
    fields = [(name, kinds[kind]) for name, kind in columns.items()]
    return pa.schema(fields, metadata=about)


def _moment(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)
