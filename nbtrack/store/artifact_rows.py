"""Applies what is said of artifacts to the tables: versions, aliases, uses, events.

A name has versions v0, v1, ...; the same content under the same name is the same
version, and logging it again adds a use. `latest` is the newest version that is kept;
`best` follows the artifact's metric and goal and moves only to what is better.
Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nbtrack.errors import StoreError
from nbtrack.records import (
    ArtifactFile,
    Goal,
    goal_of,
    is_better,
    judges,
    manifest_digest,
)
from nbtrack.store.values import as_json, iso, now, storable

Event = Mapping[str, Any]  # Any: JSON values, checked where they are used


class Version(NamedTuple):
    """Where a version stands in the tables."""

    artifact: int
    id: int
    number: int


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
    """A version that is logged, by a run or (`run` is None) from elsewhere."""
    files = [ArtifactFile(*file) for file in event["files"]]
    at = iso(event.get("created_at")) or now()
    artifact = _artifact(connection, event, at)
    version = _version(connection, artifact, files, event, at)
    _describe(connection, version, event)
    if event.get("run") is not None:
        _add_use(connection, version, event, at, role="output")
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


def set_alias(
    connection: sqlite3.Connection, version: Version, alias: str, *, by: str = ""
) -> None:
    """Point an alias at a version; said in the events where it moves."""
    before = alias_target(connection, version.artifact, alias)
    if before is not None and before.id == version.id:
        return
    connection.execute(
        "insert or replace into artifact_aliases(artifact, alias, version, at)"
        " values (?, ?, ?, ?)",
        (version.artifact, alias, version.id, now()),
    )
    note_event(connection, version, "alias", detail=alias, by=by)


def alias_target(
    connection: sqlite3.Connection, artifact: int, alias: str
) -> Version | None:
    """The version that an alias names now."""
    row = connection.execute(
        """
        select aliases.artifact, versions.id, versions.version
        from artifact_aliases as aliases
        join artifact_versions as versions on versions.id = aliases.version
        where aliases.artifact = ? and alias = ?
        """,
        (artifact, alias),
    ).fetchone()
    return None if row is None else Version(*row)


def follow(
    connection: sqlite3.Connection,
    artifact: int,
    *,
    logged: Version | None = None,
    by: str = "",
) -> None:
    """Bring `latest` and `best` to where they belong now.

    `logged` is the only version that is new, where that is so: the numbers beside the
    others are not read then (20 ms for 2,000 versions).
    """
    latest = connection.execute(
        "select artifact, id, version from artifact_versions"
        " where artifact = ? and gone_at is null order by version desc limit 1",
        (artifact,),
    ).fetchone()
    _point(connection, artifact, "latest", latest and Version(*latest), by=by)
    best = alias_target(connection, artifact, "best")
    few = None if logged is None else [v.id for v in (best, logged) if v is not None]
    judge = _judge(connection, artifact, few)
    if judge is not None:
        found = _best(connection, artifact, *judge, among=few if best else None)
        _point(connection, artifact, "best", found, by=by)


def note_event(
    connection: sqlite3.Connection,
    version: Version,
    what: str,
    *,
    detail: str = "",
    by: str = "",
) -> None:
    """Write down that something happened to a version."""
    connection.execute(
        "insert into artifact_events(artifact, version, what, detail, by, at)"
        " values (?, ?, ?, ?, ?, ?)",
        (version.artifact, version.id, what, storable(detail), storable(by), now()),
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
        select ?, coalesce(max(version) + 1, 0), ?, ?, ?, ? from artifact_versions
        where artifact = ? returning id, version
        """,
        (artifact, digest, size, len(files), at, artifact),
    ).fetchall()
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


def _point(
    connection: sqlite3.Connection,
    artifact: int,
    alias: str,
    version: Version | None,
    *,
    by: str,
) -> None:
    if version is not None:
        set_alias(connection, version, alias, by=by)
    else:
        connection.execute(
            "delete from artifact_aliases where artifact = ? and alias = ?",
            (artifact, alias),
        )


def _judge(
    connection: sqlite3.Connection, artifact: int, among: Sequence[int] | None
) -> tuple[str, Goal] | None:
    """What `best` goes by: as it was said, else the first metric that can tell."""
    metric, goal = connection.execute(
        "select metric, goal from artifacts where id = ?", (artifact,)
    ).fetchone()
    if metric is None:
        names = (name for name, _, _ in _scores(connection, artifact, among))
        metric = next(iter(judges(names)), None)
        if metric is None:
            return None
        connection.execute(
            "update artifacts set metric = ? where id = ?", (metric, artifact)
        )
    goal = goal or _goal_of_runs(connection, artifact, metric) or goal_of(metric)
    return None if goal is None else (metric, goal)


def _goal_of_runs(
    connection: sqlite3.Connection, artifact: int, metric: str
) -> Goal | None:
    """The goal that a run which logged the artifact gave to the metric, the latest."""
    row = connection.execute(
        """
        select metrics.goal from artifact_uses as uses
        join artifact_versions as versions on versions.id = uses.version
        join metrics on metrics.run = uses.run and metrics.name = ?
          and metrics.axis_of is null and metrics.deleted_at is null
        where artifact = ? and role = 'output' and metrics.goal is not null
        order by uses.id desc limit 1
        """,
        (metric, artifact),
    ).fetchone()
    return None if row is None else row[0]


def _best(
    connection: sqlite3.Connection,
    artifact: int,
    metric: str,
    goal: Goal,
    *,
    among: Sequence[int] | None,
) -> Version | None:
    """The best kept version; of equal ones the one that is best already, or older."""
    best = alias_target(connection, artifact, "best")
    scores: dict[int, float] = {}
    versions: dict[int, Version] = {}
    for name, value, version in _scores(connection, artifact, among):
        if name == metric and version.id not in scores:
            scores[version.id], versions[version.id] = value, version
        elif name == metric and is_better(value, scores[version.id], goal):
            scores[version.id] = value
    if best is not None and best.id not in scores:
        best = None
    for id_, value in scores.items():
        if best is None or is_better(value, scores[best.id], goal):
            best = versions[id_]
    return best


def _scores(
    connection: sqlite3.Connection, artifact: int, among: Sequence[int] | None
) -> Iterable[tuple[str, float, Version]]:
    """The numbers beside the kept versions, of some or all, oldest first."""
    rows = connection.execute(
        """
        select versions.id, versions.version, metrics
        from artifact_uses as uses
        join artifact_versions as versions on versions.id = uses.version
        where artifact = :artifact and role = 'output' and gone_at is null
          and (:among is null or versions.id in (select value from json_each(:among)))
        order by versions.version, uses.id
        """,
        {"artifact": artifact, "among": among and json.dumps(among)},
    ).fetchall()
    for id_, number, text in rows:
        for name, value in json.loads(text).items():
            if isinstance(value, int | float):
                yield name, float(value), Version(artifact, id_, number)
