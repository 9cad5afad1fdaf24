"""What lies where at a remote, and what a version's manifest says.

    nbtrack.json                          {"format": 1}
    files/ab/<sha256>                     a small file
    chunks/ab/<blake3>                    a piece of a larger one, or of a folder's
    artifacts/<name>-<hash>/<digest>.json the manifest of a version, written last
    models/<name>-<hash>.json             a registered model with all its events

What is under its hash never changes. A manifest is text from a stranger: names, paths,
sizes and numbers are checked before anything is done with them, and nothing is ever
executed or unpickled.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbtrack.errors import ArtifactError, RemoteError
from nbtrack.records import ArtifactFile, manifest_digest
from nbtrack.store.cuts import LONGEST_CHUNK_BYTES
from nbtrack.text import clean_name, shorten, text_digest, visible
from nbtrack.tracking.artifacts.metadata import as_metadata
from nbtrack.tracking.checkpoint_files import checkpoint_name
from nbtrack.tracking.remotes.hostile import (
    digest_in,
    moment_in,
    object_in,
    rows_in,
    text_in,
    whole_in,
)

FORMAT = 1
FORMAT_PATH = "nbtrack.json"
MANIFEST_MAX_BYTES = 32 << 20  # some 100,000 files; read a few at a time
SMALL_MAX_BYTES = 1 << 20  # of an object in `files/`
VERSION_MAX = 999_999_999  # what a reference can say
_TEXT_MAX = 100_000
_LIST_MAX = 10_000
_PART_MAX_BYTES = 255  # what file systems hold
_PATH_MAX_BYTES = 4096
_MANIFEST = re.compile(r"artifacts/([^/]+)/([0-9a-f]{64})\.json")
_MODEL = re.compile(r"models/[^/]+\.json")
_SLUG = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a version, and the objects that it is made of."""

    file: ArtifactFile
    chunks: tuple[tuple[str, int], ...] = ()  # blake3 in hex, bytes; none: kept whole

    def objects(self) -> Iterator[tuple[str, int]]:
        """Path and size of what must be there for it."""
        if self.file.uri is not None or not self.file.size_bytes:
            return
        if not self.chunks:
            yield file_path(self.file.digest or ""), self.file.size_bytes
        for hash_, size in self.chunks:
            yield chunk_path(hash_), size


@dataclass(frozen=True, slots=True)
class LinkedRun:
    """A run that logged or read the version, in the store it was pushed from."""

    id: str
    name: str
    role: str
    step: int | None = None
    metrics: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version, as it lies at a remote."""

    name: str
    version: int
    type: str
    digest: str
    created_at: str
    files: tuple[RemoteFile, ...]
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str | None] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    expires_at: str | None = None
    runs: tuple[LinkedRun, ...] = ()

    @property
    def ref(self) -> str:
        """How people write it."""
        return f"{self.name}:v{self.version}"

    @property
    def path(self) -> str:
        """Where it lies."""
        return f"{artifact_folder(self.name)}/{self.digest}.json"

    def encoded(self) -> bytes:
        """As text; the same manifest is the same text."""
        files = [
            [f.file.path, f.file.digest, f.file.size_bytes, f.file.uri, f.file.etag,
             [list(chunk) for chunk in f.chunks]]
            for f in self.files
        ]  # fmt: skip
        runs = [
            [run.id, run.name, run.role, run.step, dict(run.metrics)]
            for run in self.runs
        ]
        body = {
            "format": FORMAT, "name": self.name, "version": self.version,
            "type": self.type, "digest": self.digest, "created_at": self.created_at,
            "description": self.description, "metadata": dict(self.metadata),
            "tags": dict(self.tags), "aliases": sorted(self.aliases),
            "expires_at": self.expires_at, "runs": runs, "files": files,
        }  # fmt: skip
        content = as_text(body)
        if len(content) > MANIFEST_MAX_BYTES:
            raise RemoteError(
                f"{self.ref} has too many files for a remote ({len(files):,}). Log a "
                "folder of many small files as one archive."
            )
        return content


def file_path(digest: str) -> str:
    """Where a small file lies."""
    return f"files/{digest[:2]}/{digest}"


def chunk_path(hash_: str) -> str:
    """Where a chunk lies."""
    return f"chunks/{hash_[:2]}/{hash_}"


def artifact_folder(name: str) -> str:
    """Where the versions of an artifact are; any name makes a harmless path.

    >>> artifact_folder("../mlp")
    'artifacts/mlp-543ce815e1de'
    """
    return f"artifacts/{_harmless(name)}"


def model_path(name: str) -> str:
    """Where a registered model is."""
    return f"models/{_harmless(name)}.json"


def manifests_in(paths: list[str]) -> list[str]:
    """Those of the paths that are manifests."""
    return [path for path in paths if _MANIFEST.fullmatch(path)]


def models_in(paths: list[str]) -> list[str]:
    """Those of the paths that are models."""
    return [path for path in paths if _MODEL.fullmatch(path)]


def as_text(body: Mapping[str, Any]) -> bytes:
    """A JSON object as the remote has it."""
    text = json.dumps(body, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii")


def parsed(content: bytes, where: str) -> dict[str, Any]:
    """A JSON object of a stranger's; RemoteError for anything else."""
    try:
        body = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise RemoteError(f"{where} is damaged: it is no JSON.") from exc
    if not isinstance(body, dict):
        raise RemoteError(f"{where} is damaged: it is no JSON object.")
    if body.get("format") != FORMAT:
        raise RemoteError(
            f"{where} has format {shorten(repr(body.get('format')), 40)}; this nbtrack "
            f"reads format {FORMAT}. Upgrade nbtrack."
        )
    return body


def decoded(content: bytes, path: str) -> Manifest:
    """The manifest that lies at `path`, checked in every field.

    Raises RemoteError, naming the manifest and what is wrong with it.
    """
    body = parsed(content, path)
    try:
        manifest = _manifest(body)
    except (KeyError, TypeError, ValueError, ArtifactError, RecursionError) as exc:
        said = visible(shorten(str(exc) or type(exc).__name__, 200))
        raise RemoteError(f"{path} is damaged: {said}") from exc
    if manifest.path != path:
        raise RemoteError(
            f"{path} is damaged: it holds {manifest.ref} ({manifest.digest[:12]}…)."
        )
    return manifest


def number_text(value: float) -> float | str:
    """A metric as JSON has it: NaN and Inf, which it does not know, as text."""
    return value if math.isfinite(value) else repr(float(value))


def _manifest(body: Mapping[str, Any]) -> Manifest:
    files = tuple(_file(row) for row in rows_in(body["files"], 1_000_000))
    _refuse_paths([file.file.path for file in files])
    name = text_in(body["name"], 300)
    if not name or checkpoint_name(name) != name:
        raise ValueError(f"{shorten(repr(name))} is no name of an artifact.")
    digest = manifest_digest([file.file for file in files])
    if not files or digest != body["digest"]:
        raise ValueError("its files are not those of its digest.")
    return Manifest(
        name=name,
        version=whole_in(body["version"], VERSION_MAX),
        type=clean_name(text_in(body["type"], 300)) or "file",
        digest=digest,
        created_at=moment_in(body["created_at"]),
        files=files,
        description=text_in(body["description"], _TEXT_MAX),
        metadata=as_metadata(object_in(body["metadata"])),
        tags=_tags(object_in(body["tags"])),
        aliases=tuple(text_in(a, 128) for a in rows_in(body["aliases"], _LIST_MAX)),
        expires_at=moment_in(body["expires_at"]) if body["expires_at"] else None,
        runs=tuple(_run(row) for row in rows_in(body["runs"], _LIST_MAX)),
    )


def _file(row: Any) -> RemoteFile:  # Any: JSON of a stranger's, here and below
    path, digest, size, uri, etag, chunks = row
    _refuse_path(text_in(path, _PATH_MAX_BYTES))
    pieces = tuple(
        (digest_in(hash_), whole_in(n_bytes, LONGEST_CHUNK_BYTES))
        for hash_, n_bytes in rows_in(chunks, 50_000_000)
    )
    file = ArtifactFile(
        path,
        None if digest is None else digest_in(digest),
        None if size is None else whole_in(size, 1 << 60),
        None if uri is None else text_in(uri, _TEXT_MAX),
        None if etag is None else text_in(etag, _TEXT_MAX),
    )
    if file.uri is None:
        _refuse_sizes(file, pieces)
    return RemoteFile(file, pieces if file.uri is None else ())


def _refuse_sizes(file: ArtifactFile, chunks: tuple[tuple[str, int], ...]) -> None:
    if file.digest is None or file.size_bytes is None:
        raise ValueError(f"file {file.path!r} has no digest or no size.")
    if not chunks and file.size_bytes > SMALL_MAX_BYTES:
        raise ValueError(f"file {file.path!r} is too large for one object.")
    if chunks and sum(size for _, size in chunks) != file.size_bytes:
        raise ValueError(f"the chunks of file {file.path!r} do not make its size.")


def _refuse_path(path: str) -> None:
    parts = path.split("/")
    if (
        visible(path) != path
        or "\\" in path
        or any(part in ("", ".", "..") for part in parts)
        or any(len(part.encode("utf-8")) > _PART_MAX_BYTES for part in parts)
    ):
        raise ValueError(f"{shorten(repr(path))} is no path inside an artifact.")


def _refuse_paths(paths: list[str]) -> None:
    """Each once, and none of them the folder of another."""
    known = set(paths)
    if len(known) < len(paths):
        raise ValueError("a path is there twice.")
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in known:
                raise ValueError(f"{shorten(repr(folder))} is a file and a folder.")
            folder = folder.rpartition("/")[0]


def _run(row: Any) -> LinkedRun:
    id_, name, role, step, metrics = row
    if role not in ("input", "output"):
        raise ValueError("a run has an unknown role.")
    numbers = {
        clean_name(text_in(key, 300)): _number(value)
        for key, value in object_in(metrics).items()
    }
    return LinkedRun(
        clean_name(text_in(id_, 100)),
        clean_name(text_in(name, 300)),
        role,
        None if step is None else whole_in(step, 1 << 60),
        numbers,
    )


def _number(value: Any) -> float | str:
    if isinstance(value, str) and value in ("nan", "inf", "-inf"):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a metric is no number.")
    return float(value)


def _tags(tags: Mapping[str, Any]) -> dict[str, str | None]:
    if len(tags) > _LIST_MAX:
        raise ValueError("it has too many tags.")
    return {
        clean_name(key): None if value is None else clean_name(text_in(value, 1000))
        for key, value in tags.items()
    }


def _harmless(name: str) -> str:
    slug = _SLUG.sub("_", name)[:60].strip("_") or "_"
    full = text_digest(name)
    return f"{slug}-{full[:12]}"


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON.")
