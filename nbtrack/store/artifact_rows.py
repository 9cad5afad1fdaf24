"""Applies what is said of artifacts to the tables: versions, aliases, uses, events.

A name has versions v0, v1, ...; the same content under the same name is the same
version, and logging it again adds a use. Everything here runs inside the caller's
transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from nbtrack.errors import StoreError
from nbtrack.records import ArtifactFile, manifest_digest
from nbtrack.store.artifact_aliases import Version, follow, note_event, set_alias
from nbtrack.store.values import as_json, iso, now, storable

Event = Mapping[str, Any]  # Any: JSON values, checked where they are used


def apply_checkpoint(connection: sqlite3.Connection, event: Event) -> None:
    """A saved file: the version of an artifact that has this one file."""
    path = str(event["path"])
    inside = path.replace("\\", "/").rsplit("/", 1)[-1] or event["name"]
    file = [inside, event["digest"], event["size_bytes"], None, None]
    apply_artifact(
        connection,
        {**event, "type": event.get("type") or "checkpoint", "files": [file]},
    )


def apply_artifact(connection: sqlite3.Connection, event: Event) -> Version:
    """A version that is logged, by a run or (`run` is None) from elsewhere.

    A run that was recorded elsewhere may bring one that it read: `role` is "input".
    """
    files = [ArtifactFile(*file) for file in event["files"]]
    at = iso(event.get("created_at")) or now()
    artifact = _artifact(connection, event, at)
    version = _version(connection, artifact, files, event, at)
    _describe(connection, version, event)
    if event.get("run") is not None:
        role = event.get("role") or "output"
        _add_use(connection, version, event, at, role=role)
    for alias in event.get("aliases") or ():
        set_alias(connection, version, storable(alias) or "", by=_by(event))
    follow(connection, artifact, logged=version, by=_by(event))
    return version


def apply_used(connection: sqlite3.Connection, event: Event) -> None:
    """A run reads a version: `name`, `version`."""
    name = storable(event["name"])
    row = connection.execute(
        """
        select artifacts.id, versions.id, versions.version
        from artifact_versions as versions join artifacts on artifacts.id = artifact
        where name = ? and version = ?
        """,
        (name, int(event["version"])),
    ).fetchone()
    if row is None:
        raise StoreError(f"There is no artifact {name}:v{event['version']}.")
    _add_use(
        connection, Version(*row), event, iso(event.get("at")) or now(), role="input"
    )


def _by(event: Event) -> str:
    return str(event.get("by") or event.get("run") or "")


def _artifact(connection: sqlite3.Connection, event: Event, at: str) -> int:
    name = storable(event["name"])
    connection.execute(
        "insert or ignore into artifacts(name, type, created_at) values (?, ?, ?)",
        (name, storable(event["type"]), at),
    )
    found = connection.execute("select id from artifacts where name = ?", (name,))
    artifact = int(found.fetchone()[0])
    if event.get("metric"):
        connection.execute(
            "update artifacts set metric = ?, goal = ? where id = ?",
            (storable(event["metric"]), event.get("goal"), artifact),
        )
    return artifact


def _version(
    connection: sqlite3.Connection,
    artifact: int,
    files: list[ArtifactFile],
    event: Event,
    at: str,
) -> Version:
    digest = manifest_digest(files)
    row = connection.execute(
        "select id, version, gone_at from artifact_versions"
        " where artifact = ? and digest = ?",
        (artifact, digest),
    ).fetchone()
    if row is None:
        return _new_version(connection, artifact, digest, files, event, at)
    version = Version(artifact, row[0], row[1])
    if row[2] is not None:
        connection.execute(
            "update artifact_versions set gone_at = null, gone_why = null,"
            " expires_at = null where id = ?",
            (version.id,),
        )
        note_event(connection, version, "revived", by=_by(event))
    return version


def _new_version(
    connection: sqlite3.Connection,
    artifact: int,
    digest: str,
    files: list[ArtifactFile],
    event: Event,
    at: str,
) -> Version:
    size = sum(file.size_bytes or 0 for file in files if file.uri is None)
    rows = connection.execute(
        """
        insert into artifact_versions(artifact, version, digest, size_bytes, n_files,
          created_at)
        select :artifact,
          iif(:wish is null or :wish in (
              select version from artifact_versions where artifact = :artifact),
            coalesce(max(version) + 1, 0), :wish),
          :digest, :size, :n, :at
        from artifact_versions where artifact = :artifact returning id, version
        """,
        {
            "artifact": artifact, "digest": digest, "size": size, "n": len(files),
            "at": at, "wish": event.get("number"),
        },
    ).fetchall()  # fmt: skip
    version = Version(artifact, *rows[0])
    connection.execute(
        """
        insert into artifact_files(version, path, digest, size_bytes, uri, etag)
        select ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
        from json_each(?)
        """,
        (version.id, as_json([_file_row(file) for file in files])),
    )
    note_event(connection, version, "version", by=_by(event))
    return version


def _file_row(file: ArtifactFile) -> list[Any]:
    return [
        storable(file.path), file.digest, file.size_bytes, storable(file.uri),
        storable(file.etag),
    ]  # fmt: skip


def _describe(connection: sqlite3.Connection, version: Version, event: Event) -> None:
    """Description, metadata (merged), tags and end of a version, where said."""
    if event.get("description"):
        connection.execute(
            "update artifact_versions set description = ? where id = ?",
            (storable(event["description"]), version.id),
        )
    if event.get("metadata"):
        merge_metadata(connection, version.id, event["metadata"])
    if event.get("expires_at"):
        connection.execute(
            "update artifact_versions set expires_at = ? where id = ?",
            (storable(event["expires_at"]), version.id),
        )
    set_tags(connection, version.id, event.get("tags") or {})


def merge_metadata(
    connection: sqlite3.Connection, version: int, metadata: Mapping[str, Any]
) -> None:
    """Add to what is known of a version; a value of None takes a key away."""
    row = connection.execute(
        "select metadata from artifact_versions where id = ?", (version,)
    ).fetchone()
    merged = {**json.loads(row[0]), **metadata}
    kept = {key: value for key, value in merged.items() if value is not None}
    connection.execute(
        "update artifact_versions set metadata = ? where id = ?",
        (as_json(kept), version),
    )


def set_tags(
    connection: sqlite3.Connection, version: int, tags: Mapping[str, str | None]
) -> None:
    """Add tags to a version; of one that is there the later value stands."""
    for name, value in tags.items():
        connection.execute(
            "insert or replace into artifact_tags(version, name, value)"
            " values (?, ?, ?)",
            (version, storable(name), storable(value)),
        )


def _add_use(
    connection: sqlite3.Connection,
    version: Version,
    event: Event,
    at: str,
    *,
    role: str,
) -> None:
    """One edge of lineage; the same run, role and step again is the same edge."""
    step, metrics = event.get("step"), as_json(event.get("metrics") or {})
    path = storable(event.get("path") or "")
    known = connection.execute(
        "select id from artifact_uses"
        " where run = ? and version = ? and role = ? and step is ?",
        (event["run"], version.id, role, step),
    ).fetchone()
    if known is not None:
        connection.execute(
            "update artifact_uses set metrics = ?, path = ?, at = ? where id = ?",
            (metrics, path, at, known[0]),
        )
        return
    connection.execute(
        "insert into artifact_uses(run, version, role, step, metrics, path, at)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (event["run"], version.id, role, step, metrics, path, at),
    )
