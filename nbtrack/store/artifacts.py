"""Reads artifacts: which versions there are, what is in them, who made and used them.

A reference is `name` (the latest), `name:v3`, or `name:alias`; `fraud@production` means
the files of a registered model. Versions whose bytes were given up are still listed,
and say so in `gone_at`.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from nbtrack.errors import ArtifactNotFoundError, ModelNotFoundError
from nbtrack.records import ArtifactEvent, ArtifactFile, ArtifactRecord, ArtifactUse
from nbtrack.text import did_you_mean, shorten

_NUMBER = re.compile(r"v(\d{1,9})")
_N_NAMED = 8  # versions or aliases named in an error
_CHOSEN = """
  select versions.id from artifact_versions as versions
  join artifacts on artifacts.id = artifact
  where (:name is null or artifacts.name = :name)
    and (:type is null or artifacts.type = :type)
    and (:gone is null or (gone_at is not null) = :gone)
    and (:ids is null or versions.id in (select value from json_each(:ids)))
    and (:run is null or versions.id in (
      select version from artifact_uses where run = :run and role = 'output'))
    and (:digest is null or versions.id in (
      select version from artifact_files where digest = :digest))
"""
_VERSIONS = f"""
  select versions.id, artifacts.name, versions.version, type, digest, size_bytes,
    n_files, versions.created_at, versions.description, versions.metadata, expires_at,
    gone_at, gone_why, artifacts.metric, artifacts.goal
  from artifact_versions as versions join artifacts on artifacts.id = artifact
  where versions.id in ({_CHOSEN}) order by versions.id
"""  # noqa: S608 - constants only
_ALIASES = f"""
  select version, alias from artifact_aliases where version in ({_CHOSEN})
"""  # noqa: S608 - constants only
_TAGS = f"""
  select version, name, value from artifact_tags where version in ({_CHOSEN})
"""  # noqa: S608 - constants only
_OUTPUTS = f"""
  select version, run, step, metrics from artifact_uses
  where role = 'output' and version in ({_CHOSEN}) order by id
"""  # noqa: S608 - constants only
_USES = """
  select uses.run, runs.name, role, versions.id, artifacts.name, versions.version, type,
    step, metrics, path, at
  from artifact_uses as uses
  join runs on runs.id = uses.run
  join artifact_versions as versions on versions.id = uses.version
  join artifacts on artifacts.id = artifact
  where (:version is null or uses.version = :version)
    and (:run is null or uses.run = :run) and (:role is null or role = :role)
  order by uses.id
"""
_EVENTS = """
  select events.id, artifacts.name, versions.version, what, detail, by, events.run, at
  from artifact_events as events
  join artifacts on artifacts.id = events.artifact
  left join artifact_versions as versions on versions.id = events.version
  where events.id > :after and (:name is null or artifacts.name = :name)
  order by events.id
"""


class ReadsArtifacts:
    """The part of `Store` that reads artifacts."""

    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def artifact(self, ref: str) -> ArtifactRecord:
        """The version that a reference names: `mlp`, `mlp:v3`, `mlp:best`, `mlp@1.2.0`.

        Raises ArtifactNotFoundError, naming what there is.
        """
        with self._reading() as reader:
            [found] = read_versions(reader, ids=[find_version(reader, ref)])
        return found

    def artifact_versions(
        self,
        *,
        name: str | None = None,
        type: str | None = None,
        run: str | None = None,
        ids: Sequence[int] | None = None,
        gone: bool | None = None,
    ) -> list[ArtifactRecord]:
        """The versions that fit, oldest first.

        Parameters
        ----------
        name, type
            Of which artifact, of which type.
        run
            Only what this run (its full id) logged.
        ids
            Only these versions.
        gone
            True: only those whose bytes were given up; False: the others; None: both.
        """
        with self._reading() as reader:
            return read_versions(
                reader, name=name, type=type, run=run, ids=ids, gone=gone
            )

    def artifact_type(self, name: str) -> str | None:
        """The type of all versions of this name; None where there are none yet."""
        with self._reading() as reader:
            found = reader.execute(
                "select type from artifacts where name = ?", (name,)
            ).fetchone()
        return None if found is None else str(found[0])

    def artifact_files(self, version_id: int) -> list[ArtifactFile]:
        """The files of a version, by their path."""
        with self._reading() as reader:
            rows = reader.execute(
                "select path, digest, size_bytes, uri, etag from artifact_files"
                " where version = ? order by path",
                (version_id,),
            ).fetchall()
        return [ArtifactFile(*row) for row in rows]

    def artifact_with_file(self, digest: str) -> list[ArtifactRecord]:
        """The versions that hold a file of this sha256, oldest first."""
        with self._reading() as reader:
            return read_versions(reader, digest=digest)

    def artifact_uses(
        self,
        *,
        version: int | None = None,
        run: str | None = None,
        role: str | None = None,
    ) -> list[ArtifactUse]:
        """Who logged ("output") and who read ("input") what, in order."""
        asked = {"version": version, "run": run, "role": role}
        with self._reading() as reader:
            rows = reader.execute(_USES, asked).fetchall()
        return [_use(row) for row in rows]

    def artifact_events(
        self, *, after: int = 0, name: str | None = None
    ) -> list[ArtifactEvent]:
        """What happened to artifacts after the event of that id, in order."""
        with self._reading() as reader:
            rows = reader.execute(_EVENTS, {"after": after, "name": name}).fetchall()
        return [ArtifactEvent(*row) for row in rows]

    def last_artifact_event(self) -> int:
        """The id of the newest event; 0 where there is none."""
        with self._reading() as reader:
            row = reader.execute("select max(id) from artifact_events").fetchone()
        return row[0] or 0


def read_versions(
    connection: sqlite3.Connection,
    *,
    name: str | None = None,
    type: str | None = None,
    run: str | None = None,
    ids: Iterable[int] | None = None,
    gone: bool | None = None,
    digest: str | None = None,
) -> list[ArtifactRecord]:
    """The versions that fit, oldest first; see `ReadsArtifacts.artifact_versions`."""
    asked = {
        "name": name, "type": type, "run": run, "gone": gone, "digest": digest,
        "ids": None if ids is None else json.dumps(list(ids)),
    }  # fmt: skip
    rows = connection.execute(_VERSIONS, asked).fetchall()
    if not rows:
        return []
    aliases: dict[int, list[str]] = {}
    for version, alias in connection.execute(_ALIASES, asked).fetchall():
        aliases.setdefault(version, []).append(alias)
    tags: dict[int, dict[str, str | None]] = {}
    for version, tag, value in connection.execute(_TAGS, asked).fetchall():
        tags.setdefault(version, {})[tag] = value
    outputs: dict[int, tuple[Any, ...]] = {}
    for version, *output in connection.execute(_OUTPUTS, asked).fetchall():
        outputs.setdefault(version, tuple(output))
    return [_record(row, aliases, tags, outputs) for row in rows]


def _record(
    row: tuple[Any, ...],
    aliases: dict[int, list[str]],
    tags: dict[int, dict[str, str | None]],
    outputs: dict[int, tuple[Any, ...]],
) -> ArtifactRecord:
    id_, name, version, kind, digest, size, n_files, created_at, description, *rest = (
        row
    )
    metadata, expires_at, gone_at, gone_why, metric, goal = rest
    run, step, metrics = outputs.get(id_, (None, None, "{}"))
    return ArtifactRecord(
        id_, name, version, kind, digest, size, n_files, created_at,
        description=description, metadata=json.loads(metadata),
        aliases=tuple(sorted(aliases.get(id_, ()))), tags=tags.get(id_, {}),
        expires_at=expires_at, gone_at=gone_at, gone_why=gone_why, run=run, step=step,
        metrics=json.loads(metrics), metric=metric, goal=goal,
    )  # fmt: skip


def _use(row: tuple[Any, ...]) -> ArtifactUse:
    run, run_name, role, id_, name, version, kind, step, metrics, path, at = row
    return ArtifactUse(
        run,
        run_name,
        role,
        id_,
        name,
        version,
        kind,
        step,
        json.loads(metrics),
        path,
        at,
    )


def find_version(connection: sqlite3.Connection, ref: str) -> int:
    """The id of the version that a reference names; ArtifactNotFoundError if none."""
    name, _, which = str(ref).partition(":")
    artifact = connection.execute(
        "select id from artifacts where name = ?", (name,)
    ).fetchone()
    if artifact is None and "@" in str(ref):
        return _of_model(connection, str(ref))
    if artifact is None:
        raise ArtifactNotFoundError(_unknown_name(connection, name))
    number = _NUMBER.fullmatch(which)
    if number:
        found = connection.execute(
            "select id from artifact_versions where artifact = ? and version = ?",
            (artifact[0], int(number[1])),
        ).fetchone()
    else:
        found = connection.execute(
            "select version from artifact_aliases where artifact = ? and alias = ?",
            (artifact[0], which or "latest"),
        ).fetchone()
    if found is None:
        raise ArtifactNotFoundError(
            _unknown_which(connection, artifact[0], name, which)
        )
    return int(found[0])


def _of_model(connection: sqlite3.Connection, ref: str) -> int:
    from nbtrack.store.model_rows import find_model

    try:
        return find_model(connection, ref).artifact
    except ModelNotFoundError as exc:
        raise ArtifactNotFoundError(str(exc)) from exc


def _unknown_name(connection: sqlite3.Connection, name: str) -> str:
    rows = connection.execute("select name from artifacts order by id desc limit 1000")
    known = [row[0] for row in rows.fetchall()]
    hint = did_you_mean(name, known) if known else " The store has no artifacts yet."
    return f"There is no artifact {shorten(repr(name))}.{hint}"


def _unknown_which(
    connection: sqlite3.Connection, artifact: int, name: str, which: str
) -> str:
    numbers = connection.execute(
        "select version from artifact_versions where artifact = ?"
        " order by version desc",
        (artifact,),
    ).fetchall()
    aliases = connection.execute(
        "select alias from artifact_aliases where artifact = ? order by alias",
        (artifact,),
    ).fetchall()
    known = [alias for (alias,) in aliases] + [f"v{n}" for (n,) in numbers]
    listed = ", ".join(known[:_N_NAMED]) + (", …" if len(known) > _N_NAMED else "")
    if not which:
        return f"All versions of artifact {name!r} were given up: {listed}."
    return (
        f"Artifact {name!r} has no version {shorten(repr(which))}."
        f"{did_you_mean(which, known)} It has: {listed}."
    )
