"""Reads registered models, and writes down what happens to them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from nbtrack.errors import ModelNotFoundError
from nbtrack.records import ModelEvent, ModelVersion
from nbtrack.store.semver import SemVer
from nbtrack.store.values import as_json, now, storable
from nbtrack.text import did_you_mean, shorten

STAGES = ("development", "staging", "production", "archived")
_N_NAMED = 8  # versions named in an error
_VERSIONS = """
  select versions.id, models.name, version, stage, artifact_version, run, signature,
    parts, notes, versions.created_at, versions.created_by,
    (select json_group_array(alias) from model_aliases
      where model_aliases.version = versions.id),
    (select json_array(by, at) from model_events as events
      where events.version = versions.id and what = 'approved'
      order by events.id desc limit 1)
  from model_versions as versions join models on models.id = versions.model
  where :name is null or models.name = :name order by versions.id
"""
# Of a version that was deleted, the event still says which it was.
_EVENTS = """
  select events.id, models.name, coalesce(versions.version, detail ->> '$.version'),
    what, from_stage, to_stage, by, why, at
  from model_events as events join models on models.id = events.model
  left join model_versions as versions on versions.id = events.version
  where :name is null or models.name = :name order by events.id
"""


def read_versions(
    connection: sqlite3.Connection, name: str | None
) -> list[ModelVersion]:
    """The versions of one model or of all, in the order of registration."""
    rows = connection.execute(_VERSIONS, {"name": name}).fetchall()
    return [_version(row) for row in rows]


def read_events(connection: sqlite3.Connection, name: str | None) -> list[ModelEvent]:
    """What happened to one model or to all, in order."""
    rows = connection.execute(_EVENTS, {"name": name}).fetchall()
    return [ModelEvent(*row) for row in rows]


def numbers_used(connection: sqlite3.Connection, name: str) -> set[str]:
    """The numbers that a model ever had: one is never given to another version."""
    rows = connection.execute(
        "select detail ->> '$.version' from model_events"
        " join models on models.id = model where name = ? and what = 'registered'",
        (name,),
    ).fetchall()
    return {number for (number,) in rows}


def find_model(connection: sqlite3.Connection, ref: str) -> ModelVersion:
    """The version that a reference names; see `KeepsModels.model`."""
    name, _, which = str(ref).partition("@")
    found = read_versions(connection, name)
    if not found:
        raise ModelNotFoundError(_unknown_name(connection, name))
    ordered = sorted(found, key=lambda v: SemVer.parse(v.version), reverse=True)
    if which in ("", "latest"):
        return next((v for v in ordered if not SemVer.parse(v.version).pre), ordered[0])
    for version in ordered:
        if which in (version.version, version.stage) or which in version.aliases:
            return version
    raise ModelNotFoundError(_unknown_which(ordered, name, which))


def model_of(connection: sqlite3.Connection, name: str, *, by: str) -> int:
    """The id of a model, made where there is none of that name."""
    connection.execute(
        "insert or ignore into models(name, created_at, created_by) values (?, ?, ?)",
        (storable(name), now(), storable(by)),
    )
    row = connection.execute("select id from models where name = ?", (name,)).fetchone()
    return int(row[0])


def note(
    connection: sqlite3.Connection,
    version: ModelVersion,
    what: str,
    *,
    to: str | None = None,
    by: str,
    why: str = "",
) -> None:
    """Write down what happens to a version."""
    connection.execute(
        """
        insert into model_events(model, version, what, from_stage, to_stage, by, why,
          detail, at)
        select model, id, ?, ?, ?, ?, ?, ?, ? from model_versions where id = ?
        """,
        (
            what, None if to is None or what == "registered" else version.stage, to,
            storable(by), storable(why), as_json({"version": version.version}), now(),
            version.id,
        ),
    )  # fmt: skip


def _version(row: tuple[Any, ...]) -> ModelVersion:
    id_, name, version, stage, artifact, run, signature, parts, notes, *rest = row
    created_at, created_by, aliases, approval = rest
    by, at = json.loads(approval) if approval else (None, None)
    return ModelVersion(
        id_, name, version, stage, artifact, run,
        None if signature is None else json.loads(signature), tuple(json.loads(parts)),
        notes, created_at, created_by,
        aliases=tuple(sorted(json.loads(aliases))), approved_by=by, approved_at=at,
    )  # fmt: skip


def _unknown_name(connection: sqlite3.Connection, name: str) -> str:
    rows = connection.execute("select name from models order by name").fetchall()
    known = [row[0] for row in rows]
    hint = did_you_mean(name, known) if known else " The registry is empty."
    return f"There is no model {shorten(repr(name))}.{hint}"


def _unknown_which(ordered: list[ModelVersion], name: str, which: str) -> str:
    numbers = [version.version for version in ordered]
    aliases = [alias for version in ordered for alias in version.aliases]
    listed = ", ".join(numbers[:_N_NAMED]) + (", …" if len(numbers) > _N_NAMED else "")
    if which in STAGES:
        return f"No version of {name!r} is in {which}. There are {listed}."
    hint = did_you_mean(which, [*numbers, *aliases, *STAGES])
    return f"{name!r} has no version {shorten(repr(which))}.{hint} There are {listed}."
