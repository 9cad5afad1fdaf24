"""A run of nbtrack that comes back from where it was pushed to.

What MLflow has no place for stands in `nbtrack/run.json` among its artifacts, see
`record`; without that file it comes as any other run does, under its own id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbtrack.capture.values import decode
from nbtrack.interop.confined import file_inside
from nbtrack.interop.foreign import (
    ForeignArtifact,
    ForeignFile,
    ForeignImage,
    ForeignRun,
    ForeignSeries,
    ForeignText,
)
from nbtrack.interop.mlflow.artifact_files import Place
from nbtrack.interop.mlflow.kept import STATUSES, KeptRun, as_foreign
from nbtrack.interop.mlflow.record import FORMAT, RECORD_PATH, SOURCE_PATH
from nbtrack.records import InputRecord
from nbtrack.store.values import epoch_s

_RECORD_MAX_BYTES = 256 << 20
_MALFORMED = (
    OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError
)  # fmt: skip
Said = Mapping[str, Any]  # Any: JSON of a stranger's
_OWN_TAG = "imported"


def as_ours(kept: KeptRun, series: Iterable[ForeignSeries], place: Place) -> ForeignRun:
    """The run that was pushed, as far as it can be found."""
    folder = place.folder(kept.artifact_uri, kept.id)
    try:
        if folder is None:
            raise FileNotFoundError("its files were not found")
        return _restored(kept, series, folder)
    except _MALFORMED as exc:
        run = as_foreign(kept, series, *place.of_run(kept))
        why = f"{RECORD_PATH}, which was pushed with it, cannot be read: {exc}"
        return replace(run, notices=(*run.notices, why))


def _restored(
    kept: KeptRun, series: Iterable[ForeignSeries], folder: Path
) -> ForeignRun:
    said = _record_in(folder)
    run = said["run"]
    tags = {name: value for name, value in said["tags"].items() if name != _OWN_TAG}
    return ForeignRun(
        name=str(run["name"]),
        experiment=str(run["experiment"]),
        status=run["status"] if run["status"] in _STATUSES else "crashed",
        ended_at=None if run["ended_at"] is None else epoch_s(run["ended_at"]),
        params={str(name): decode(value) for name, value, *_ in said["params"]},
        tags=tags,
        notes=str(run["notes"]),
        group=run["group"],
        parent=kept.parent,
        source=_text_at(folder, SOURCE_PATH),
        error=run["error"],
        reason=run["reason"],
        facts={f["name"]: f["value"] for f in said["facts"] if f["value"] is not None},
        texts=list(_texts(said, folder)),
        inputs=[InputRecord(**record) for record in said["inputs"]],
        artifacts=[_artifact(told, folder) for told in said["artifacts"]],
        series=_named(series, said),
        images=list(_media(said, folder)),
        is_trashed=kept.is_trashed,
        notices=[str(text) for text in said["notices"]],
    )


_STATUSES = {*STATUSES.values(), "crashed", "pruned"}


def _record_in(folder: Path) -> Said:
    path = folder / RECORD_PATH
    if path.is_symlink() or path.stat().st_size > _RECORD_MAX_BYTES:
        raise ValueError("it is too long, or a link")
    said = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ValueError("it is of another version of nbtrack")
    return said


def _named(series: Iterable[ForeignSeries], said: Said) -> Iterator[ForeignSeries]:
    """The series under the names they had, axes with their metrics."""
    for each in series:
        if each.name in said["axes"]:
            metric, axis = said["axes"][each.name]
            yield replace(each, name=axis, axis_of=metric)
        elif each.name in said["metrics"]:
            name, goal, _ = said["metrics"][each.name]
            yield replace(each, name=name, goal=goal)
        else:
            yield each


def _texts(said: Said, folder: Path) -> Iterator[ForeignText]:
    for text in said["texts"]:
        body = None if text["path"] is None else _text_at(folder, text["path"])
        if body is not None:
            yield ForeignText(text["role"], text["name"], body)


def _media(said: Said, folder: Path) -> Iterator[ForeignImage]:
    for told in said["media"]:
        path = None if told["path"] is None else file_inside(folder, told["path"])
        if told["path"] is None or path is not None:
            yield ForeignImage(
                told["name"], int(told["step"]), float(told["at"]),
                None if path is None else path.read_bytes(),
                mime=told["mime"], type=told["type"], data=told["data"],
            )  # fmt: skip


def _artifact(told: Said, folder: Path) -> ForeignArtifact:
    ref = f"nbtrack:{told['logged_by'] or ''}/{told['name']}:v{told['version']}"
    files = []
    for path, digest, size, uri, etag, where in told["files"]:
        found = None if where is None else file_inside(folder, where)
        if found is None and uri is None:  # with the run that logged it, or nowhere
            uri = f"{ref}/{path}"
        files.append(ForeignFile(path, found, uri, digest, size, etag))
    return ForeignArtifact(
        told["name"], files, type=told["type"],
        role="input" if told["role"] == "input" else "output",
        step=told["step"], aliases=[str(alias) for alias in told["aliases"]],
        description=told["description"], metadata=told["metadata"],
        at=epoch_s(told["at"]),
    )  # fmt: skip


def _text_at(folder: Path, path: str) -> str | None:
    found = file_inside(folder, path)
    if found is None:
        return None
    return found.read_text(encoding="utf-8", errors="surrogatepass")
