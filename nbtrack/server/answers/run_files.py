"""The files of a run's artifacts, by their digest alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nbtrack.errors import ArtifactNotFoundError, FileGoneError
from nbtrack.records import ArtifactFile, ArtifactRecord
from nbtrack.server.desk import Desk
from nbtrack.store import Store


@dataclass(frozen=True, slots=True)
class Found:
    """A file that can be sent: what it is called, how long it is, and its bytes.

    The pieces raise StoreError where the file turns out to be damaged. They may be
    read in any thread, one at a time, and are to be closed.
    """

    path: str
    size_bytes: int
    pieces: Iterator[bytes]


def file(desk: Desk, run_id: str, digest: str) -> Found:
    """A file of one of the artifacts that a run logged or used.

    Raises
    ------
    ArtifactNotFoundError
        Where none of them has such a file, or it lies elsewhere.
    FileGoneError
        Where it was given up.
    """
    store = desk.stores.of_run(run_id)
    versions = _versions_of(store, run_id, digest)
    files = [(v, _file_in(store, v, digest)) for v in versions]
    kept = [(v, f) for v, f in files if f is not None and f.uri is None]
    if not kept:
        where = " It is kept elsewhere." if versions else ""
        raise ArtifactNotFoundError(
            f"No artifact of run {run_id} has a file {digest[:12]}….{where}"
        )
    version, found = kept[0]
    if not store.has_file(digest):
        why = version.gone_why or "its bytes are no longer in the store"
        raise FileGoneError(f"{found.path} of {version.ref} is gone: {why}.")
    return Found(found.path, store.file_size(digest), store.file_pieces(digest))


def _versions_of(store: Store, run_id: str, digest: str) -> list[ArtifactRecord]:
    """The run's versions that hold such a file, those that are kept first."""
    own = {use.version_id for use in store.artifact_uses(run=run_id)}
    found = [v for v in store.artifact_with_file(digest) if v.id in own]
    return sorted(found, key=lambda version: version.gone_at is not None)


def _file_in(store: Store, version: ArtifactRecord, digest: str) -> ArtifactFile | None:
    files = store.artifact_files(version.id)
    return next((file for file in files if file.digest == digest), None)
