"""An export as parquet, read back a run at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from nbtrack.interop.export.documents import Document, from_json
from nbtrack.interop.export.parquet import IN_JSON, POINTS
from nbtrack.interop.foreign import ForeignSeries
from nbtrack.interop.parquet_files import parquet_module
from nbtrack.store.values import iso

_LISTS = ("params", "tags", "metrics", "facts", "texts", "inputs", "media", "artifacts")


class ParquetRuns:
    """The tables of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        parquet_module()

    def heads(self) -> Iterator[tuple[str, Document]]:
        """The rows of the table of runs; a run is asked for by its id."""
        columns = ["id", "name", "started_at"]
        for row in self._read("runs", columns=columns):
            yield row["id"], row

    def document(self, where: str) -> Document:
        """A run of all tables."""
        [found] = self._read("runs", [("id", "==", where)])
        for name in _LISTS:
            found[name] = list(self._of(name, where))
        found["notices"] = [row["notice"] for row in self._of("notices", where)]
        files = list(self._of("artifact_files", where))
        for use in found["artifacts"]:
            key = use["name"], use["version"]
            use["files"] = [f for f in files if (f["artifact"], f["version"]) == key]
        return found

    def series(self, where: str, document: Document) -> Iterator[ForeignSeries]:
        """The points of a run, in pieces as large as a row group at most."""
        import pyarrow.dataset as ds

        goals = {metric["name"]: metric["goal"] for metric in document["metrics"]}
        points = ds.dataset(self._folder / f"{POINTS}.parquet")
        for batch in points.to_batches(filter=ds.field("run") == where):
            for name, axis_of, piece in _pieces(batch):
                yield ForeignSeries(
                    name,
                    piece["step"].to_pylist(),
                    piece["value"].to_pylist(),
                    piece["at"].to_pylist(),
                    goal=None if axis_of else goals.get(name),
                    axis_of=axis_of,
                )

    def _of(self, table: str, run: str) -> Iterator[Document]:
        for row in self._read(table, [("run", "==", run)]):
            if table != "tags":
                for name in IN_JSON:
                    if name in row:
                        row[name] = from_json(json.loads(row[name]))
            yield row

    def _read(self, table: str, filters: Any = None, **more: Any) -> Iterator[Document]:
        path = self._folder / f"{table}.parquet"
        rows = parquet_module().read_table(path, filters=filters, **more).to_pylist()
        for row in rows:
            yield {name: _plain(value) for name, value in row.items()}


def _pieces(batch: Any) -> Iterator[tuple[str, str | None, Any]]:
    """The parts of a batch that are of one series."""
    names, axes = batch["metric"].to_pylist(), batch["axis_of"].to_pylist()
    keys = enumerate(zip(names, axes, strict=True))
    for (name, axis_of), group in groupby(keys, key=lambda pair: pair[1]):
        places = [at for at, _ in group]
        yield name, axis_of, batch.slice(places[0], len(places))


def _plain(value: Any) -> Any:
    return iso(value.timestamp()) if isinstance(value, datetime) else value
