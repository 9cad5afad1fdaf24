"""A registered model with all that happened to it, as it goes to another store.

A model's events tell whether one copy goes on from another: where the events here begin
the events there, the copy is taken over whole. Two that went different ways are never
merged. The versions' files travel as artifacts; here are the rows alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any

from nbtrack.store.database import Database
from nbtrack.store.values import storable

Copy = dict[str, Any]  # JSON: name, description, created_*, versions, aliases, events
_VERSIONS = """
  select versions.version, artifacts.name, artifact_versions.digest, versions.run,
    stage, signature, parts, notes, versions.created_at, versions.created_by
  from model_versions as versions
  join artifact_versions on artifact_versions.id = versions.artifact_version
  join artifacts on artifacts.id = artifact_versions.artifact
  where model = ? order by versions.id
"""
_VERSION_FIELDS = (
    "version", "artifact", "digest", "run", "stage", "signature", "parts", "notes",
    "created_at", "created_by",
)  # fmt: skip
# By `detail` first: the event of a version that is deleted later stays what it was.
_EVENTS = """
  select coalesce(detail ->> '$.version', versions.version), what, from_stage, to_stage,
    by, why, detail, at
  from model_events as events
  left join model_versions as versions on versions.id = events.version
  where events.model = ? order by events.id
"""
_EVENT_FIELDS = (
    "version", "what", "from_stage", "to_stage", "by", "why", "detail", "at",
)  # fmt: skip


class CopiesModels:
    """The part of `Store` that gives and takes whole models."""

    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]
    _writing: Callable[[], AbstractContextManager[Database]]

    def model_copies(self, name: str | None = None) -> list[Copy]:
        """All models, or the one of this name, each with all its rows."""
        with self._reading() as reader:
            rows = reader.execute(
                "select id, name, description, created_at, created_by from models"
                " where ? is null or name = ? order by id",
                (name, name),
            ).fetchall()
            return [_copy(reader, *row) for row in rows]

    def model_artifacts(self, name: str) -> list[int]:
        """The ids of the artifact versions that a model's versions are."""
        with self._reading() as reader:
            rows = reader.execute(
                "select artifact_version from model_versions"
                " join models on models.id = model where name = ?",
                (name,),
            ).fetchall()
        return [id_ for (id_,) in rows]

    def take_model_copy(self, copy: Copy) -> bool:
        """Take over a copy that goes on from what is here; one transaction.

        False where the models went different ways, or a version's artifact is not here.
        """
        with self._writing() as database:
            connection = database.connection
            known = _events_here(connection, copy["name"])
            if copy["events"][: len(known)] != known:
                return False
            artifacts = _artifacts_here(connection, copy)
            if artifacts is None:
                return False
            _take(connection, copy, artifacts, len(known))
        return True


def _copy(
    connection: sqlite3.Connection,
    id_: int,
    name: str,
    description: str,
    created_at: str,
    created_by: str,
) -> Copy:
    versions = [
        dict(zip(_VERSION_FIELDS, row, strict=True))
        for row in connection.execute(_VERSIONS, (id_,)).fetchall()
    ]
    aliases = connection.execute(
        "select alias, versions.version from model_aliases as aliases"
        " join model_versions as versions on versions.id = aliases.version"
        " where aliases.model = ? order by alias",
        (id_,),
    ).fetchall()
    return {
        "name": name, "description": description, "created_at": created_at,
        "created_by": created_by, "versions": versions, "aliases": dict(aliases),
        "events": _events(connection, id_),
    }  # fmt: skip


def _events(connection: sqlite3.Connection, model: int) -> list[dict[str, Any]]:
    rows = connection.execute(_EVENTS, (model,)).fetchall()
    return [dict(zip(_EVENT_FIELDS, row, strict=True)) for row in rows]


def _events_here(connection: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    row = connection.execute("select id from models where name = ?", (name,)).fetchone()
    return [] if row is None else _events(connection, row[0])


def _artifacts_here(
    connection: sqlite3.Connection, copy: Copy
) -> dict[str, int] | None:
    """For each version of the model the artifact version that it is here."""
    found: dict[str, int] = {}
    for version in copy["versions"]:
        row = connection.execute(
            "select versions.id from artifact_versions as versions"
            " join artifacts on artifacts.id = artifact"
            " where name = ? and digest = ? and gone_at is null",
            (version["artifact"], version["digest"]),
        ).fetchone()
        if row is None:
            return None
        found[version["version"]] = row[0]
    return found


def _take(
    connection: sqlite3.Connection,
    copy: Copy,
    artifacts: Mapping[str, int],
    n_known: int,
) -> None:
    connection.execute(
        "insert into models(name, description, created_at, created_by)"
        " values (?, ?, ?, ?)"
        " on conflict(name) do update set description = excluded.description",
        tuple(
            storable(copy[field])
            for field in ("name", "description", "created_at", "created_by")
        ),
    )
    row = connection.execute(
        "select id from models where name = ?", (copy["name"],)
    ).fetchone()
    model = int(row[0])
    # One version at most is in production at any time: also between two statements.
    connection.execute(
        "update model_versions set stage = 'archived'"
        " where model = ? and stage = 'production'",
        (model,),
    )
    _drop_versions(connection, model, artifacts)
    for version in copy["versions"]:
        _take_version(connection, model, version, artifacts[version["version"]])
    ids = dict(
        connection.execute(
            "select version, id from model_versions where model = ?", (model,)
        ).fetchall()
    )
    _take_aliases(connection, model, copy, ids)
    for event in copy["events"][n_known:]:
        connection.execute(
            "insert into model_events(model, version, what, from_stage, to_stage, by,"
            " why, detail, at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                model,
                ids.get(event["version"]),
                *(storable(event[field]) for field in _EVENT_FIELDS[1:]),
            ),
        )


def _drop_versions(
    connection: sqlite3.Connection, model: int, but: Collection[str]
) -> None:
    """Versions that were deleted where the copy comes from; their events stay."""
    gone = """
      select id from model_versions where model = ?
        and version not in (select value from json_each(?))
    """
    asked = (model, json.dumps(list(but)))
    connection.execute(
        f"update model_events set version = null where version in ({gone})",  # noqa: S608 - constants only
        asked,
    )
    connection.execute(f"delete from model_versions where id in ({gone})", asked)  # noqa: S608 - constants only


def _take_version(
    connection: sqlite3.Connection,
    model: int,
    version: Mapping[str, Any],
    artifact_version: int,
) -> None:
    run = connection.execute(
        "select id from runs where id = ?", (version["run"],)
    ).fetchone()
    texts = {
        field: storable(version[field])
        for field in _VERSION_FIELDS
        if field not in ("artifact", "digest", "run")
    }
    connection.execute(
        """
        insert into model_versions(model, version, artifact_version, run, stage,
          signature, parts, notes, created_at, created_by)
        values (:model, :version, :artifact_version, :run, :stage, :signature, :parts,
          :notes, :created_at, :created_by)
        on conflict(model, version) do update set
          stage = excluded.stage, notes = excluded.notes,
          signature = excluded.signature, parts = excluded.parts
        """,
        {
            **texts, "model": model, "artifact_version": artifact_version,
            "run": None if run is None else run[0],
        },
    )  # fmt: skip


def _take_aliases(
    connection: sqlite3.Connection, model: int, copy: Copy, ids: Mapping[str, int]
) -> None:
    connection.execute("delete from model_aliases where model = ?", (model,))
    connection.execute(
        """
        insert into model_aliases(model, alias, version, at)
        select ?, value ->> 0, value ->> 1, ? from json_each(?)
        """,
        (
            model,
            copy["events"][-1]["at"] if copy["events"] else copy["created_at"],
            json.dumps([[storable(a), ids[v]] for a, v in copy["aliases"].items()]),
        ),
    )
