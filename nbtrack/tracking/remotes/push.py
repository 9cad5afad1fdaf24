"""Sends versions to a remote: the objects that it lacks, then the manifest, last.

Until the manifest is there nothing looks whole; a push that was cut off goes on where
it stopped. What the remote has is not sent again, and a version that two stores have
pushed under two numbers keeps the first one there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbtrack.errors import StoreError
from nbtrack.records import ArtifactFile, ArtifactRecord
from nbtrack.tracking.remotes.hostile import is_moment
from nbtrack.tracking.remotes.known import Ref, Transfer, begin, manifests_at
from nbtrack.tracking.remotes.layout import (
    SMALL_MAX_BYTES,
    LinkedRun,
    Manifest,
    RemoteFile,
    artifact_folder,
    chunk_path,
    decoded,
    file_path,
    number_text,
)
from nbtrack.tracking.remotes.place import Place, Progress, each
from nbtrack.tracking.settled import settled

if TYPE_CHECKING:
    from nbtrack.store import Store

PULLED_KEY = "nbtrack.pulled"  # in the metadata of a version that came from a remote
_OWN_ALIASES = frozenset({"latest"})  # each store keeps it itself
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Object:
    """Something to send: where to, how long it is, how to read it when its turn is."""

    path: str
    size_bytes: int
    read: Callable[[], bytes]


def push(
    url: str,
    refs: Iterable[str] | str | None = None,
    *,
    store: Store | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Transfer:
    """Send artifact versions and registered models to a folder, S3, or any fsspec URL.

    Files go by their hash, each once; with them go aliases, metadata, tags, and id,
    name and metrics of the runs that logged or read a version. A push that was cut off
    goes on where it stopped, a second one sends nothing.

    Parameters
    ----------
    url
        `s3://bucket/folder`, a path, or what else fsspec takes.
    refs
        `mlp` (all its versions), `mlp:v3`, `mlp:best`, `fraud@1.2.0` (the model with
        all its versions); by default everything.
    store
        By default the one that applies here.
    options
        Go to fsspec, such as `{"endpoint_url": "http://minio:9000"}` for S3.
    progress
        Is called with the bytes that are done, and those to send in all.

    Raises
    ------
    RemoteError
        When the remote cannot be reached or written, or is not sound.
    ArtifactNotFoundError
        For a reference that names nothing.
    MissingExtraError
        Without fsspec, or s3fs for S3.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     logged = run.log_artifact({"classes": 10}, "labels")
    >>> logged.ref
    'labels:v0'
    >>> push("there").versions, push("there").versions
    (('labels:v0',), ())
    """
    from nbtrack.tracking.remotes.registry import push_models

    store = settled(None) if store is None else store
    place = Place.at(url, options)
    asked = _asked(refs)
    versions = _versions(store, asked)
    gone = [version.ref for version in versions if version.gone_at]
    kept = [version for version in versions if not version.gone_at]
    begin(place)
    sender = _Sender(store, place, progress)
    names = None if asked is None else {version.name for version in kept}
    sender.send(kept, manifests_at(place, names))
    models, notices = push_models(store, place, asked)
    return Transfer(
        place.shown, tuple(sender.sent), models, sender.n_objects, sender.n_bytes,
        (*(f"{ref} was not sent: its files were given up." for ref in gone), *notices),
    )  # fmt: skip


def _asked(refs: Iterable[str] | str | None) -> list[Ref] | None:
    if refs is None:
        return None
    return [Ref.of(ref) for ref in ([refs] if isinstance(refs, str) else refs)]


def _versions(store: Store, asked: list[Ref] | None) -> list[ArtifactRecord]:
    """The versions that are meant, oldest first."""
    if asked is None:
        return store.artifact_versions()
    found: dict[int, ArtifactRecord] = {}
    for ref in asked:
        for version in _named(store, ref):
            found[version.id] = version
    return [found[id_] for id_ in sorted(found)]


def _named(store: Store, ref: Ref) -> list[ArtifactRecord]:
    if ref.is_model:
        from nbtrack.tracking.remotes.registry import versions_of_model

        return store.artifact_versions(ids=versions_of_model(store, ref.name))
    if ref.which:
        return [store.artifact(f"{ref.name}:{ref.which}")]
    return store.artifact_versions(name=ref.name) or [store.artifact(ref.name)]


class _Sender:
    """One push: what the remote is known to have, what was sent."""

    def __init__(self, store: Store, place: Place, progress: Progress | None) -> None:
        self.sent: list[str] = []
        self.n_objects = 0
        self.n_bytes = 0
        self._store = store
        self._place = place
        self._progress = progress
        self._there: set[str] = set()

    def send(self, versions: list[ArtifactRecord], there: list[Manifest]) -> None:
        """Send the versions, given what is there of their names."""
        for manifest in there:
            self._there.update(path for path, _ in _objects(manifest))
        known = {manifest.path: manifest for manifest in there}
        for version in versions:
            path = f"{artifact_folder(version.name)}/{version.digest}.json"
            found = known.get(path)
            # What is there says which chunks its files have: 1 ms a file to look up.
            own = manifest_of(self._store, version, found.files if found else None)
            if found is None:
                self._send_objects(own)
            wanted = own if found is None else merged(found, own)
            if found is None or wanted.encoded() != found.encoded():
                self._place.write(wanted.path, wanted.encoded())
                self.sent.append(version.ref)
            known[wanted.path] = wanted
            self._move_aliases(wanted, known)

    def _send_objects(self, manifest: Manifest) -> None:
        objects = [
            each_ for each_ in _to_send(self._store, manifest)
            if each_.path not in self._there
        ]  # fmt: skip
        total, done = sum(each_.size_bytes for each_ in objects), 0
        for object_, was_sent in zip(objects, each(self._send, objects), strict=True):
            self._there.add(object_.path)
            done += object_.size_bytes
            if was_sent:
                self.n_objects += 1
                self.n_bytes += object_.size_bytes
            if self._progress is not None:
                self._progress(done, total)

    def _send(self, object_: Object) -> bool:
        """Whether it had to be sent; a part that was cut off has another size."""
        if self._place.size_of(object_.path) == object_.size_bytes:
            return False
        self._place.write(object_.path, object_.read())
        return True

    def _move_aliases(self, to: Manifest, known: dict[str, Manifest]) -> None:
        """An alias names one version of an artifact: take it from the others."""
        for path, other in list(known.items()):
            if other.name != to.name or path == to.path:
                continue
            left = tuple(alias for alias in other.aliases if alias not in to.aliases)
            if left != other.aliases:
                known[path] = replace(other, aliases=left)
                self._place.write(path, known[path].encoded())


def manifest_of(
    store: Store,
    version: ArtifactRecord,
    files: tuple[RemoteFile, ...] | None = None,
) -> Manifest:
    """A version as it is written to a remote, with its files where they are known."""
    if files is None:
        files = tuple(_file(store, f) for f in store.artifact_files(version.id))
    metadata = dict(version.metadata)
    pulled = metadata.pop(PULLED_KEY, None)
    manifest = Manifest(
        name=version.name, version=version.version, type=version.type,
        digest=version.digest, created_at=version.created_at,
        files=files,
        description=version.description, metadata=metadata, tags=dict(version.tags),
        aliases=tuple(sorted(set(version.aliases) - _OWN_ALIASES)),
        expires_at=version.expires_at if is_moment(version.expires_at) else None,
        runs=_runs(store, version, pulled),
    )  # fmt: skip
    # As it will be read again: what is not sound is refused here, not there.
    return decoded(manifest.encoded(), manifest.path)


def merged(there: Manifest, own: Manifest) -> Manifest:
    """What is said of a version now, where the remote has its files already."""
    runs = {(run.id, run.role, run.step): run for run in (*there.runs, *own.runs)}
    return replace(
        there,
        description=own.description or there.description,
        metadata={**there.metadata, **own.metadata},
        tags={**there.tags, **own.tags},
        # What another store has named stays named, until the name moves on.
        aliases=tuple(sorted({*there.aliases, *own.aliases})),
        expires_at=own.expires_at,
        runs=tuple(runs.values()),
    )


def _file(store: Store, file: ArtifactFile) -> RemoteFile:
    if file.uri is not None or not file.size_bytes:
        return RemoteFile(file)
    digest = file.digest or ""
    chunks = store.chunks_of(digest)
    if not chunks and file.size_bytes > SMALL_MAX_BYTES:
        chunks = [_piece(content) for content in _pieces(store, digest)]
    return RemoteFile(file, tuple((hash_.hex(), size) for hash_, size in chunks))


def _pieces(store: Store, digest: str) -> Iterator[bytes]:
    """A large file that is kept whole, in pieces."""
    with store.open_file(digest) as file:
        while content := file.read(_PIECE_BYTES):
            yield content


def _piece(content: bytes) -> tuple[bytes, int]:
    from blake3 import blake3

    return blake3(content).digest(), len(content)


def _objects(manifest: Manifest) -> Iterator[tuple[str, int]]:
    for file in manifest.files:
        yield from file.objects()


def _to_send(store: Store, manifest: Manifest) -> list[Object]:
    """The objects of a version, each once."""
    found: dict[str, Object] = {}
    for file in manifest.files:
        for object_ in _objects_of(store, file):
            found.setdefault(object_.path, object_)
    return list(found.values())


def _objects_of(store: Store, file: RemoteFile) -> Iterator[Object]:
    digest, size = file.file.digest or "", file.file.size_bytes or 0
    if file.file.uri is not None or not size:
        return
    if not file.chunks:
        yield Object(file_path(digest), size, lambda: _whole(store, digest))
        return
    is_kept_whole = not store.chunks_of(digest)
    at = 0
    for hash_, n_bytes in file.chunks:
        if is_kept_whole:
            read = _part_reader(store, digest, at, n_bytes)
        else:
            read = _chunk_reader(store, hash_)
        yield Object(chunk_path(hash_), n_bytes, read)
        at += n_bytes


def _whole(store: Store, digest: str) -> bytes:
    with store.open_file(digest) as file:
        return file.read()


def _chunk_reader(store: Store, hash_: str) -> Callable[[], bytes]:
    return lambda: store.read_chunk(bytes.fromhex(hash_))


def _part_reader(
    store: Store, digest: str, at: int, n_bytes: int
) -> Callable[[], bytes]:
    path = store.file_path(digest)

    def read() -> bytes:
        with path.open("rb") as file:
            file.seek(at)
            content = file.read(n_bytes)
        if len(content) != n_bytes:
            raise StoreError(f"File {digest[:12]}… is damaged: {path} is too short.")
        return content

    return read


def _runs(
    store: Store, version: ArtifactRecord, pulled: object
) -> tuple[LinkedRun, ...]:
    """Who logged and read it here, after those that a remote told of."""
    runs = list(pulled_runs(pulled))
    for use in store.artifact_uses(version=version.id):
        metrics = {name: number_text(value) for name, value in use.metrics.items()}
        runs.append(LinkedRun(use.run, use.run_name, use.role, use.step, metrics))
    return tuple({(run.id, run.role, run.step): run for run in runs}.values())


def pulled_runs(pulled: object) -> Iterator[LinkedRun]:
    """The runs of another store, as they are kept in a version's metadata."""
    rows = pulled.get("runs") if isinstance(pulled, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 5 and isinstance(row[4], dict):
            yield LinkedRun(*row)
