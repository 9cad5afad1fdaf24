r"""Runs as JSON lines: a file for each, the run first and then its points in pieces.

    nbtrack.json                {"format": "nbtrack-export", "version": 1, ...}
    runs/<id>.jsonl             {"nbtrack": 1, "run": {...}}
                                {"metric": ..., "axis_of": ..., "goal": ...,
                                 "steps": [...], "values": [...], "at": [...]}
    files/<ab>/<sha256>         of artifacts and rich values

`at` is seconds since the epoch. A file whose first line is the run as it is now has
all its points too, and is left alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from functools import partial

from nbtrack.interop.export.documents import (
    Document,
    digests_in,
    document_of,
    to_json,
)
from nbtrack.interop.export.folder import VERSION, ExportFolder
from nbtrack.interop.export.task import ExportTask

PIECE_POINTS = 10_000  # of one line: about 400 KB
RUNS = "runs"


def write_json(task: ExportTask, folder: ExportFolder) -> None:
    """Write a file for each run."""
    folder.mark("json")
    for run in task.records():
        document = document_of(task.store, run)
        task.count(document)
        name = f"{RUNS}/{run.id}.jsonl"
        head = _line({"nbtrack": VERSION, "run": document})
        if _begins_with(folder, name, head):
            folder.n_unchanged += 1
        else:
            folder.stream(name, _lines(task, head, run.id))
        copy_files(task, folder, document)


def copy_files(task: ExportTask, folder: ExportFolder, document: Document) -> None:
    """The bytes of what a run names, unless they are not wanted."""
    if not task.files:
        return
    for digest in digests_in(document):
        if task.store.has_file(digest):
            folder.copy(digest, partial(task.store.file_pieces, digest))
        else:
            task.notices.append(f"{document['name']}: file {digest[:12]} is gone")


def _lines(task: ExportTask, head: bytes, run_id: str) -> Iterator[bytes]:
    yield head
    for series in task.store.logged_series(run_id):
        about = {
            "metric": series.name, "axis_of": series.axis_of, "goal": series.goal
        }  # fmt: skip
        for points in task.store.logged_points(series):
            for start in range(0, len(points.values), PIECE_POINTS):
                piece = slice(start, start + PIECE_POINTS)
                columns = {
                    "steps": list(points.steps[piece]),
                    "values": _numbers(points.values[piece]),
                    "at": _numbers(points.at[piece]),
                }
                yield _line(about | columns)


def _numbers(values: Iterable[float]) -> list[object]:
    numbers: list[object] = list(values)
    if all(map(math.isfinite, values)):
        return numbers
    return [to_json(value) for value in numbers]


def _line(value: Document) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _begins_with(folder: ExportFolder, name: str, head: bytes) -> bool:
    path = folder.path / name
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(head)) == head
