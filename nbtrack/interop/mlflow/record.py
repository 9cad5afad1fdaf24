"""What of a run MLflow has no place for: a JSON file and texts among its artifacts.

    nbtrack/run.json            the whole record, but points and contents of files
    nbtrack/source.py           the code that ran
    nbtrack/texts/...           what it printed, its diff, its packages
    media/<name>/...            pictures and other rich values that are files
    artifacts/<name>/v<n>/...   the files of what it logged

From `run.json` a run that comes back is the run that it was, see `ours`.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from nbtrack.interop.mlflow.names import axis_there, name_there, path_there
from nbtrack.records import ArtifactFile, ArtifactUse, MediaRecord, RunRecord
from nbtrack.store import Store

FORMAT = 1
RECORD_PATH = "nbtrack/run.json"
SOURCE_PATH = "nbtrack/source.py"
_RUN_FIELDS = (
    "id", "name", "experiment", "status", "started_at", "ended_at", "duration_s",
    "group", "parent", "notes", "notebook", "error", "reason", "forked_from",
    "fork_step", "grade", "grade_why",
)  # fmt: skip


@dataclass(slots=True)
class Outgoing:
    """All files of a run, as they will lie there."""

    record: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)  # small, may change: by path
    files: dict[str, tuple[str, int]] = field(default_factory=dict)  # digest, size
    folders: dict[int, str] = field(default_factory=dict)  # of artifact versions

    def encoded(self) -> bytes:
        """The record as a file."""
        text = json.dumps(self.record, sort_keys=True, indent=1, ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")


def outgoing(store: Store, run: RunRecord) -> Outgoing:
    """Everything of a run that is sent as a file."""
    out = Outgoing()
    uses = store.artifact_uses(run=run.id)
    out.record = {
        "format": FORMAT,
        "run": {name: getattr(run, name) for name in _RUN_FIELDS},
        "tags": dict(run.tags),
        "params": [[p.name, p.value, p.origin, p.cell] for p in run.params.values()],
        "metrics": {
            name_there(name): [name, summary.goal, summary.n]
            for name, summary in (*run.metrics.items(), *run.system.items())
        },
        "axes": {axis_there(*both): list(both) for both in store.axes_of(run.id)},
        "facts": [asdict(fact) for fact in store.facts(run.id).values()],
        "inputs": [asdict(record) for record in store.inputs(run.id)],
        "notices": store.notices(run.id),
        "texts": list(_texts(store, run, out)),
        "media": [_medium(record, out) for record in store.media(run.id)],
        "artifacts": [_artifact(store, use, out) for use in uses],
    }
    if run.source is not None:
        out.texts[SOURCE_PATH] = run.source.encode("utf-8", "surrogatepass")
    return out


def _texts(store: Store, run: RunRecord, out: Outgoing) -> Iterator[dict[str, Any]]:
    for text in store.texts(run.id):
        told = asdict(text)
        body = told.pop("body")
        told["path"] = None
        if body is not None:
            ending = "" if PurePosixPath(text.name).suffix else ".txt"
            name = text.name.replace("/", "_").lstrip("._")
            path = path_there(f"nbtrack/texts/{text.role}/{name}{ending}")
            told["path"] = path
            out.texts[path] = body.encode("utf-8", "surrogatepass")
        yield told


def _medium(record: MediaRecord, out: Outgoing) -> dict[str, Any]:
    told = asdict(record) | {"path": None}
    if record.digest is not None:
        ending = mimetypes.guess_extension(record.mime or "") or ".bin"
        name = path_there(f"media/{record.name}")
        path = f"{name}/{record.step}-{record.digest[:8]}{ending}"
        told["path"] = path
        out.files[path] = record.digest, record.size_bytes or 0
    return told


def _artifact(store: Store, use: ArtifactUse, out: Outgoing) -> dict[str, Any]:
    [version] = store.artifact_versions(ids=[use.version_id])
    folder = path_there(f"artifacts/{use.name}/v{use.version}")
    # What another run logged lies with that run; what nobody logged, with its reader.
    is_here = use.role == "output" or version.run is None
    files = []
    for file in store.artifact_files(use.version_id):
        path = None
        if is_here and _is_kept(store, file):
            path = f"{folder}/{path_there(file.path)}"
            out.files[path] = file.digest or "", file.size_bytes or 0
        files.append([*file.as_row(), path])
    if is_here:
        out.folders[version.id] = folder
    return {
        "role": use.role, "name": use.name, "version": use.version, "type": use.type,
        "step": use.step, "metrics": dict(use.metrics), "at": use.at, "path": use.path,
        "aliases": sorted(set(version.aliases) - {"latest", "best"}),
        "description": version.description, "metadata": dict(version.metadata),
        "tags": dict(version.tags), "created_at": version.created_at,
        "gone_why": version.gone_why, "logged_by": version.run, "files": files,
    }  # fmt: skip


def _is_kept(store: Store, file: ArtifactFile) -> bool:
    return file.uri is None and file.digest is not None and store.has_file(file.digest)
