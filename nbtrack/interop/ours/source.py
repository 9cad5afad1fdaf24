"""An exported folder: which runs it has, by their ids, which they keep.

A run that is in the store already stays as it is there: to bring one up to date, merge
its store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from nbtrack.errors import ImportSourceError
from nbtrack.interop.export.documents import Document, from_json
from nbtrack.interop.export.folder import FORMAT, MARK, VERSION
from nbtrack.interop.export.json_lines import RUNS
from nbtrack.interop.foreign import ForeignSeries, FoundRun
from nbtrack.interop.ours.reading import foreign_run
from nbtrack.interop.ours.tables import ParquetRuns
from nbtrack.store.values import epoch_s
from nbtrack.text import shorten, visible

_ID = re.compile(r"[0-9a-z]{13}")
_MARK_BYTES = 10_000


class Kept(Protocol):
    """An export of one kind."""

    def heads(self) -> Iterator[tuple[str, Document]]:
        """Of each run where it is, and at least its id, name and start."""

    def document(self, where: str) -> Document:
        """All of a run."""

    def series(self, where: str, document: Document) -> Iterator[ForeignSeries]:
        """Its points."""


def recognises(place: str) -> bool:
    """Whether that folder was exported by nbtrack."""
    return _marked(Path(place)) is not None


def open_source(place: str) -> ExportedRuns:
    """The runs of an exported folder.

    Raises
    ------
    ImportSourceError
        Where it is none, or one of a later version.
    MissingExtraError
        Where it is parquet, and pyarrow is not installed.
    """
    folder = Path(place)
    mark = _marked(folder)
    shown = shorten(visible(repr(place)))
    if mark is None or mark.get("kind") not in ("json", "parquet"):
        raise ImportSourceError(
            f"{shown} is no export of nbtrack that can be read. Give the folder that "
            f'{MARK} lies in; only "json" and "parquet" come back.'
        )
    if mark.get("version") != VERSION:
        raise ImportSourceError(
            f"{shown} was written by a later nbtrack: pip install --upgrade nbtrack"
        )
    kept = JsonRuns(folder) if mark["kind"] == "json" else ParquetRuns(folder)
    return ExportedRuns(folder, kept)


def _marked(folder: Path) -> dict[str, Any] | None:
    try:
        with (folder / MARK).open("rb") as file:
            mark = json.loads(file.read(_MARK_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    is_ours = isinstance(mark, dict) and mark.get("format") == FORMAT
    return mark if is_ours else None


class ExportedRuns:
    """The runs of one folder."""

    tool = "nbtrack"

    def __init__(self, folder: Path, kept: Kept) -> None:
        self._folder = folder
        self._kept = kept

    def found(self) -> list[FoundRun]:
        """The runs, by start."""
        heads = sorted(self._kept.heads(), key=lambda head: str(head[1]["started_at"]))
        return [self._found(where, head) for where, head in heads]

    def close(self) -> None:
        """Nothing is open."""

    def _found(self, where: str, head: Document) -> FoundRun:
        id_ = str(head["id"])
        try:
            began = epoch_s(head["started_at"])
        except (TypeError, ValueError):
            return FoundRun(
                id_, 0.0, partial(_refuse, f"it began {head['started_at']}")
            )
        if not _ID.fullmatch(id_):
            return FoundRun(id_, began, partial(_refuse, f"{id_!r} is no id"))
        read = partial(self._read, where)
        return FoundRun(id_, began, read, str(head["name"]), ours=id_)

    def _read(self, where: str) -> Any:
        document = self._kept.document(where)
        series = self._kept.series(where, document)
        return foreign_run(document, series, files=self._folder / "files")


def _refuse(why: str) -> Any:
    raise ValueError(why)


class JsonRuns:
    """JSON lines, a file for each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / RUNS

    def heads(self) -> Iterator[tuple[str, Document]]:
        """The first line of each file."""
        for path in sorted(self._folder.glob("*.jsonl")):
            try:
                yield path.name, self.document(path.name)
            except (ValueError, LookupError, TypeError):
                yield path.name, {"id": path.stem, "name": "", "started_at": None}

    def document(self, where: str) -> Document:
        """The first line of a file."""
        with (self._folder / where).open("rb") as file:
            found: Document = from_json(json.loads(file.readline())["run"])
        return found

    def series(self, where: str, document: Document) -> Iterator[ForeignSeries]:
        """The other lines."""
        with (self._folder / where).open("rb") as file:
            file.readline()
            for line in file:
                told = from_json(json.loads(line))
                yield ForeignSeries(
                    told["metric"], told["steps"], told["values"], told["at"],
                    goal=told["goal"], axis_of=told["axis_of"],
                )  # fmt: skip
