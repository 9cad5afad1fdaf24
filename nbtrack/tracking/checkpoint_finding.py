"""From what is asked for to the record of a checkpoint and its kept, checked file.

A run and a step, "best" or "last", or a reference to a version such as `mlp:best`. What
is gone says since when and why, and what is there; what is damaged names its file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.errors import (
    ArtifactNotFoundError,
    CheckpointError,
    RunNotFoundError,
    StoreError,
)
from nbtrack.records import ArtifactRecord, CheckpointRecord, RunRecord
from nbtrack.tracking.checkpoint_choice import Asked, choose_checkpoint, why_gone
from nbtrack.tracking.checkpoint_load import checked_path

if TYPE_CHECKING:
    from nbtrack.store import Store


def find_checkpoint(
    store: Store, run: RunRecord | str, asked: Asked
) -> CheckpointRecord:
    """What is meant; a text that names no run may be a reference to a version.

    Raises
    ------
    CheckpointError
        When there is none, or its bytes were given up.
    RunNotFoundError
        When the text is neither.
    """
    if isinstance(run, RunRecord):
        return choose_checkpoint(run, asked)
    try:
        record = store.run(run)
    except RunNotFoundError:
        if ":" not in run:
            raise
        return _referred(store, run, asked)
    return choose_checkpoint(record, asked)


def kept_path(store: Store, found: CheckpointRecord) -> Path:
    """The kept file of a checkpoint, its content checked.

    Raises
    ------
    CheckpointError
        When it is not in the store any more, or damaged.
    """
    ref = f"{found.name}:v{found.version}"
    try:
        path = store.file_path(found.digest)
    except StoreError as exc:
        if store.has_file(found.digest):
            raise CheckpointError(
                f"Checkpoint {ref} is damaged (file {found.digest[:12]}): {exc}"
            ) from exc
        raise CheckpointError(
            f"Checkpoint {ref} is no longer in the store: it was purged, or removed by "
            f"hand. Choose another one. ({exc})"
        ) from exc
    return checked_path(path, found.digest)


def _referred(store: Store, ref: str, asked: Asked) -> CheckpointRecord:
    """The version behind `mlp:best`, `mlp:v3`, as the checkpoint that it is."""
    if asked.is_specific:
        raise CheckpointError(
            f"{ref!r} names one version: step, name, metric and nearest go with a run."
        )
    try:
        version = store.artifact(ref)
    except ArtifactNotFoundError as exc:
        raise CheckpointError(
            f"No run and no version is called {ref!r}: {exc}"
        ) from exc
    if version.gone_at is not None:
        kept = store.artifact_versions(name=version.name, gone=False)
        there = [f"{each.ref}" for each in reversed(kept)]
        raise CheckpointError(
            why_gone(version.ref, version.gone_at, version.gone_why, there)
        )
    return _as_checkpoint(store, version)


def _as_checkpoint(store: Store, version: ArtifactRecord) -> CheckpointRecord:
    files = store.artifact_files(version.id)
    if len(files) != 1 or files[0].digest is None:
        raise CheckpointError(
            f"{version.ref} is {len(files)} files, no checkpoint: "
            f"nbtrack.artifacts.get({version.ref!r}) gives them."
        )
    return CheckpointRecord(
        version.name, version.version, version.type, files[0].digest,
        files[0].size_bytes or version.size_bytes, files[0].path, version.step,
        version.metrics, version.created_at,
    )  # fmt: skip
