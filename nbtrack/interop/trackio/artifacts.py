"""Artifacts of a run of trackio: versions with a manifest, files by their sha256."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.interop.confined import file_inside
from nbtrack.interop.foreign import ForeignArtifact, ForeignFile
from nbtrack.store.values import epoch_s

if TYPE_CHECKING:
    from nbtrack.interop.trackio.source import Project

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LINKS = """
  select versions.id, artifacts.name, artifacts.type, artifacts.description,
    versions.version, versions.manifest, versions.metadata, links.direction,
    links.created_at
  from run_artifact_links as links
  join artifact_versions as versions on versions.id = links.artifact_version_id
  join artifacts on artifacts.id = versions.artifact_id
  where links.run_id = :id or (links.run_id is null and links.run_name = :name)
  order by links.id
"""


def artifacts_of(
    project: Project, run_id: str | None, *, name: str, notices: list[str]
) -> list[ForeignArtifact]:
    """What the run logged and used."""
    rows = project.connection.execute(_LINKS, {"id": run_id, "name": name}).fetchall()
    return [_artifact(project, row, notices) for row in rows]


def _artifact(
    project: Project, row: tuple[Any, ...], notices: list[str]
) -> ForeignArtifact:
    id_, name, kind, description, number, manifest, metadata, direction, at = row
    aliases = project.connection.execute(
        "select alias from artifact_aliases where artifact_version_id = ?"
        " and alias != 'latest' order by alias",
        (id_,),
    ).fetchall()
    blobs = project.folder / "artifacts" / project.name / "blobs" / "sha256"
    entries = json.loads(manifest)
    files = list(_files(entries, blobs))
    if len(files) < len(entries):
        n_gone = len(entries) - len(files)
        notices.append(f"{n_gone} of the files of {name}:v{number} are gone")
    return ForeignArtifact(
        name,
        files,
        type=kind,
        role="input" if direction == "input" else "output",
        aliases=[alias for (alias,) in aliases],
        description=description or "",
        metadata=json.loads(metadata or "{}") or {},
        at=epoch_s(at),
        number=number,
    )


def _files(entries: Any, blobs: Path) -> Iterator[ForeignFile]:
    """Those that are there, and references."""
    for entry in entries:
        name, digest, size = str(entry["path"]), str(entry["digest"]), entry.get("size")
        is_digest = _DIGEST.fullmatch(digest) is not None
        if "ref" in entry:
            # What it calls a digest may be an etag.
            known = digest if is_digest else None
            yield ForeignFile(name, uri=entry["ref"], digest=known, size_bytes=size)
            continue
        source = file_inside(blobs, f"{digest[:2]}/{digest}") if is_digest else None
        if source is not None:
            yield ForeignFile(name, source=source)
