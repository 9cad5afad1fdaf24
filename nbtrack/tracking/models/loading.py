"""Reads a registered version back: its files checked, each part in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtrack.errors import ModelError
from nbtrack.guard import guard
from nbtrack.records import ArtifactRecord, ModelVersion
from nbtrack.tracking.artifacts.using import local_copy, refuse_outside
from nbtrack.tracking.models import formats
from nbtrack.tracking.models.loaded import MODEL, LoadedModel
from nbtrack.tracking.models.signature import Signature
from nbtrack.tracking.settled import run_in

if TYPE_CHECKING:
    from nbtrack.store import Store


def load_version(
    store: Store, version: ModelVersion, *, trust: bool, into: Any
) -> LoadedModel:
    """All parts of a version; see `nbtrack.models.load`."""
    [record] = store.artifact_versions(ids=[version.artifact])
    if record.gone_at is not None:
        raise ModelError(f"The files of {version.ref} are gone ({record.gone_why}).")
    found = local_copy(store, record)
    folder = found if found.is_dir() else found.parent
    parts = {}
    for part in version.parts:
        refuse_outside(part["path"])
        saved = formats.Saved(part["path"], part["format"], part.get("detail") or {})
        target = into if part["role"] == MODEL else None
        parts[part["role"]] = formats.load(
            folder, saved, trust=trust, into=target, ref=version.ref
        )
    _note_use(store, version, record)
    told = version.signature
    signature = None if told is None else Signature.from_json(told)
    return LoadedModel(version.ref, parts, signature)


def _note_use(store: Store, version: ModelVersion, record: ArtifactRecord) -> None:
    """The run that is being recorded read this model."""
    run = run_in(store)
    if run is None:
        return
    with guard("artifacts"):
        used = {"kind": "artifact_used", "run": run.id, "path": version.ref}
        store.journal.emit({**used, "name": record.name, "version": record.version})
