"""What stands in an artifact that is being put together, and references in it."""

from __future__ import annotations

from dataclasses import dataclass

from nbtrack.records import ArtifactFile


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an artifact that is being put together."""

    path: str
    local_path: str | None = None
    ref: str | None = None


def unseen(uri: str) -> ArtifactFile:
    """A reference of which only the address is known."""
    return ArtifactFile(uri.rstrip("/").rpartition("/")[2] or "content", uri=uri)


def under(name: str, file: ArtifactFile, *, alone: bool) -> ArtifactFile:
    """A reference under a name of its own; of several, in a folder of that name."""
    path = name if alone else f"{name.rstrip('/')}/{file.path}"
    return ArtifactFile(path, file.digest, file.size_bytes, file.uri, file.etag)
