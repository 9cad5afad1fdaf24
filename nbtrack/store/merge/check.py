"""Whether all rows of a run of another store can be read, before any is taken.

A row that cannot be read, JSON that is none, points that do not unpack: the run is left
out as a whole and told, so that no reader here ever stumbles over it.
"""

from __future__ import annotations

import json
import sqlite3

from nbtrack.store.chunks import unpack
from nbtrack.store.database import code_of
from nbtrack.store.merge.copy import is_safe_id
from nbtrack.text import shorten

_OF_THE_FILE = (
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT,
)  # fmt: skip
# Tables of a run, and which of their columns hold JSON.
_TABLES = {
    "params": ("value",),
    "facts": ("value",),
    "inputs": ("detail",),
    "media": ("data",),
    "artifact_uses": ("metrics",),
    "metrics": (),
    "tags": (),
    "texts": (),
    "notices": (),
    "alerts": (),
    "lives": (),
}
_CELLS = """
  select * from other.cells where session in (
    select session from other.runs where id = :run
    union select session from other.lives where run = :run)
"""
_SESSIONS = """
  select session from other.runs where id = :run and session is not null
  union select session from other.lives where run = :run
"""
_SOURCES = """
  select body from other.sources where digest in (
    select source_digest from other.runs where id = :run
    union select source_digest from other.texts where run = :run)
"""


def damage_of(connection: sqlite3.Connection, run: str) -> str | None:
    """What is wrong with a run of the attached store `other`, if anything is."""
    if not is_safe_id(run):
        return "its id is none"
    try:
        _read_all(connection, run)
    except (ValueError, TypeError, OverflowError, MemoryError) as exc:
        return f"damaged: {shorten(str(exc), 200)}"
    except sqlite3.DatabaseError as exc:
        if is_damage(exc):
            return f"damaged: {exc}"
        raise
    return None


def is_damage(exc: sqlite3.DatabaseError) -> bool:
    """Whether the error is about what stands in the file, not about the disk or a lock.

    >>> is_damage(sqlite3.OperationalError("no such table: other.lives"))
    True
    """
    return code_of(exc) in (0, *_OF_THE_FILE)


def _read_all(connection: sqlite3.Connection, run: str) -> None:
    which = {"run": run}
    [row] = connection.execute(
        "select * from other.runs where id = :run", which
    ).fetchall()
    _refuse_bytes("runs", row)
    for table, in_json in _TABLES.items():
        _read(connection, f"select * from other.{table} where run = :run", run, in_json)  # noqa: S608 - constants only
    _read(connection, _CELLS, run, ("rng", "flow"))
    _read(connection, _SOURCES, run, ())
    for (session,) in connection.execute(_SESSIONS, which):
        if not is_safe_id(session):
            raise ValueError("the id of its session is none")
    chunks = connection.execute(
        "select chunks.n, body from other.chunks as chunks"
        " join other.metrics as metrics on metrics.id = chunks.metric where run = :run",
        which,
    )
    for n, body in chunks:
        if len(unpack(body).values) != n:
            raise ValueError("a chunk of points has another length than it says")


def _read(
    connection: sqlite3.Connection, query: str, run: str, in_json: tuple[str, ...]
) -> None:
    found = connection.execute(query, {"run": run})
    names = [column[0] for column in found.description]
    places = [names.index(name) for name in in_json]
    for row in found:
        _refuse_bytes(query, row)
        for at in places:
            if row[at] is not None:
                json.loads(row[at])


def _refuse_bytes(table: str, row: tuple[object, ...]) -> None:
    """Any text may stand here, but no bytes: readers take them for something else."""
    if any(isinstance(value, bytes) for value in row):
        raise ValueError(f"bytes where there should be text ({shorten(table, 40)})")
