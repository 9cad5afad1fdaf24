"""Takes the edits of the attached store `other`, so that they can be undone here too.

An edit comes where what it did is to be seen here, in all of its runs. It goes before
those that were made here: `undo` without a number is still about the last one of these.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from nbtrack.store.database import Database
from nbtrack.store.values import as_json

_EDITS = "select at, what from {0}.edits where {1} order by id"
_METRIC = """
  select here.id from other.metrics as theirs
  join main.metrics as here on here.run = theirs.run and here.name = theirs.name
    and here.axis_of is theirs.axis_of and here.deleted_at is theirs.deleted_at
  where theirs.id = ?
"""
_USE = """
  select here.id from other.artifact_uses as theirs
  join other.artifact_versions as version on version.id = theirs.version
  join other.artifacts as artifact on artifact.id = version.artifact
  join main.artifacts as own on own.name = artifact.name
  join main.artifact_versions as kept
    on kept.artifact = own.id and kept.digest = version.digest
  join main.artifact_uses as here on here.version = kept.id and here.run = theirs.run
    and here.role = theirs.role and here.step is theirs.step
  where theirs.id = ?
"""


def take_edits(database: Database) -> int:
    """Take those that are not here; how many."""
    connection = database.connection
    here = {
        _key(at, json.loads(what))
        for at, what in connection.execute(_EDITS.format("main", "true"))
    }
    found = []
    rows = connection.execute(_EDITS.format("other", "undone_at is null")).fetchall()
    for at, text in rows:
        what = _read(text)
        if what is not None and _key(at, what) not in here:
            mapped = _mapped(connection, what, at)
            found += [] if mapped is None else [(at, as_json(mapped))]
    if found:
        with database.write():
            _insert(connection, found)
    return len(found)


def _insert(connection: sqlite3.Connection, found: list[tuple[str, str]]) -> None:
    [(first,)] = connection.execute("select min(id) from main.edits").fetchall()
    start = 1 if first is None else first - len(found)
    connection.executemany(
        "insert into main.edits(id, at, what) values (?, ?, ?)",
        [(start + nth, *edit) for nth, edit in enumerate(found)],
    )


def _read(text: str) -> dict[str, Any] | None:
    try:
        what = json.loads(text)
        whole = isinstance(what["kind"], str) and all(
            isinstance(run, str) for run in what["runs"]
        )
    except (ValueError, TypeError, KeyError):
        return None
    return what if whole else None


def _key(at: str, what: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    return at, what["kind"], tuple(what["runs"])


def _mapped(
    connection: sqlite3.Connection, what: dict[str, Any], at: str
) -> dict[str, Any] | None:
    """The edit with the ids that its rows have here; None where they are not here."""
    kind = what["kind"]
    if kind == "rename_experiment":
        return what if _all_have(connection, what, "experiment", what["new"]) else None
    if kind == "trash":
        return what if _all_have(connection, what, "trashed_at", at) else None
    if kind not in ("rename_metric", "delete_metric"):
        return None
    mapped = dict(what)
    for field in ("metrics", "axes", "judged"):
        if field in what:
            ids = [_one(connection, _METRIC, id_) for id_ in what[field]]
            if None in ids:
                return None
            mapped[field] = ids
    mapped["checkpoints"] = [
        [use, *rest]
        for id_, *rest in what.get("checkpoints", ())
        if (use := _one(connection, _USE, id_)) is not None
    ]
    return mapped


def _all_have(
    connection: sqlite3.Connection, what: Mapping[str, Any], field: str, value: Any
) -> bool:
    rows = connection.execute(
        "select experiment, trashed_at from main.runs"
        " where id in (select value from json_each(?))",
        (json.dumps(what["runs"]),),
    ).fetchall()
    place = ("experiment", "trashed_at").index(field)
    return len(rows) == len(what["runs"]) and all(row[place] == value for row in rows)


def _one(connection: sqlite3.Connection, query: str, id_: int) -> int | None:
    row = connection.execute(query, (id_,)).fetchone()
    return None if row is None else int(row[0])
