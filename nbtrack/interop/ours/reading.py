"""A document of ours as a run to be taken: hostile text, as from anywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from nbtrack.interop.confined import file_inside
from nbtrack.interop.export.documents import RUN_FIELDS, Document
from nbtrack.interop.foreign import (
    ForeignArtifact,
    ForeignFile,
    ForeignImage,
    ForeignRun,
    ForeignSeries,
    ForeignText,
)
from nbtrack.records import Fact, InputRecord, Param, RunRecord, Status
from nbtrack.store.values import epoch_s

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NEEDED = ("id", "name", "experiment", "status", "started_at", "notes")
_NUMBERS = (
    "duration_s", "execution", "fork_step", "peak_rss_bytes", "peak_vram_bytes",
    "model_bytes",
)  # fmt: skip
_INPUT_FIELDS = InputRecord.__dataclass_fields__


def foreign_run(
    document: Document, series: Iterable[ForeignSeries], *, files: Path
) -> ForeignRun:
    """The run of a document; its files are looked for by digest in `files`."""
    record = _record(document)
    notices: list[str] = []
    artifacts = list(_artifacts(document["artifacts"], files, notices))
    return ForeignRun(
        name=record.name,
        experiment=record.experiment,
        status=record.status,
        ended_at=_seconds(record.ended_at),
        params={p["name"]: _param(p) for p in document["params"]},
        tags={tag["name"]: tag["value"] for tag in document["tags"]},
        notes=record.notes,
        group=record.group,
        source=record.source,
        error=record.error,
        reason=record.reason,
        facts={f["name"]: _fact(f) for f in document["facts"]},
        texts=[_text(text) for text in document["texts"]],
        inputs=[_input(found) for found in document["inputs"]],
        artifacts=artifacts,
        series=series,
        images=_media(document["media"], files),
        notices=notices,
        record=record,
        kept_notices=document["notices"],
    )


def _record(document: Document) -> RunRecord:
    """The fields of a run, each of the kind that it has to be.

    Raises
    ------
    ValueError
        For one that is not.
    """
    record = RunRecord(**{name: document[name] for name in RUN_FIELDS})
    if record.status not in get_args(Status):
        raise ValueError(f"{record.status!r} is no status")
    for name in RUN_FIELDS:
        value = getattr(record, name)
        kinds = (int, float) if name in _NUMBERS else (str,)
        is_missing = value is None and name not in _NEEDED
        if not is_missing and not isinstance(value, kinds):
            raise ValueError(f"{name} is {value!r}")
    return record


def _seconds(text: str | None) -> float | None:
    return None if text is None else epoch_s(text)


def _param(row: Document) -> Param:
    return Param(row["name"], row["value"], row["origin"], row["cell"])


def _fact(row: Document) -> Fact:
    return Fact(row["name"], row["value"], row["missing"])


def _text(row: Document) -> ForeignText:
    return ForeignText(row["role"], row["name"], row["body"], row["missing"])


def _input(row: Document) -> InputRecord:
    return InputRecord(**{name: row[name] for name in _INPUT_FIELDS})


def _file(files: Path, digest: Any) -> Path | None:
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        return None
    return file_inside(files, f"{digest[:2]}/{digest}")


def _media(rows: Iterable[Document], files: Path) -> Iterator[ForeignImage]:
    for row in rows:
        path = _file(files, row["digest"])
        if row["digest"] is None or path is not None:
            yield ForeignImage(
                row["name"], row["step"], row["at"],
                None if path is None else path.read_bytes(),
                row["mime"], row["type"], row["data"],
            )  # fmt: skip


def _artifacts(
    rows: Iterable[Document], files: Path, notices: list[str]
) -> Iterator[ForeignArtifact]:
    for row in rows:
        found = [
            ForeignFile(
                file["path"], None if file["uri"] else _file(files, file["digest"]),
                uri=file["uri"], digest=file["digest"],
                size_bytes=file["size_bytes"], etag=file["etag"],
            )
            for file in row["files"]
        ]  # fmt: skip
        if any(file.source is None and not file.uri for file in found):
            notices.append(f"{row['name']}:v{row['version']} did not come: no files")
            continue
        yield ForeignArtifact(
            row["name"], found, type=row["type"], role=row["role"], step=row["step"],
            aliases=row["aliases"], description=row["description"],
            metadata=row["metadata"], at=_seconds(row["at"]), number=row["version"],
            metrics=row["metrics"], path=row["path"],
        )  # fmt: skip
