"""SQL from outside: one read-only statement, with the points as rows.

`nbtrack_points(body)` unpacks a chunk for SQLite, `nbtrack_shared(metric)` gives what a
fork's metric shares with its parent's; the authorizer lets through what
reads and nothing else, so that a query cannot attach a file or change a setting.
"""

from __future__ import annotations

import json
import math
import sqlite3
import time
import weakref
from collections.abc import Callable
from typing import Any

from nbtrack.errors import StoreError
from nbtrack.store.chunks import pack, unpack
from nbtrack.store.forks import prefix
from nbtrack.store.schema import TEMP_POINTS

QUERY_S = 30.0
_PROGRESS_STEPS = 100_000
_ALLOWED = {
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}  # fmt: skip
_DENIED_FUNCTIONS = {"load_extension", "writefile", "readfile", "edit"}


def run_query(
    connection: sqlite3.Connection, query: str, *, limit_s: float = QUERY_S
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The column names and the rows of one read-only statement.

    Raises StoreError for a statement that does anything but read, or takes too long.
    """
    deadline = time.monotonic() + limit_s
    connection.set_progress_handler(
        lambda: int(time.monotonic() > deadline), _PROGRESS_STEPS
    )
    try:
        cursor = connection.execute(query)
        rows = cursor.fetchall()
    except (sqlite3.Error, sqlite3.Warning) as exc:
        raise StoreError(f"The query failed: {exc}. {_way_out(str(exc))}") from exc
    finally:
        connection.set_progress_handler(None, 0)
    return [column[0] for column in cursor.description or ()], rows


def _way_out(reason: str) -> str:
    if reason.startswith("no such"):
        return "Tables and columns are listed by help(nbtrack.sql)."
    if reason == "interrupted":
        return "It took too long; a where or a limit makes it quicker."
    if "syntax error" in reason or "incomplete input" in reason:
        return "It is SQL as SQLite has it: select name, best from summaries."
    return "Only reading is allowed."


def prepare_for_queries(connection: sqlite3.Connection) -> None:
    """Make a reader's connection fit for statements from outside."""
    register(connection)
    connection.execute("pragma query_only = off")
    connection.execute(TEMP_POINTS)
    connection.execute("pragma query_only = on")
    connection.set_authorizer(_only_reading)


def _only_reading(action: int, first: str | None, second: str | None, *_: Any) -> int:
    if action not in _ALLOWED:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "") in _DENIED_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def register(connection: sqlite3.Connection) -> None:
    """Make both functions known to a connection."""
    held = _weakly(connection)

    def shared(metric: int | None) -> str | None:
        """What the metric of a fork shares, as JSON rows."""
        here = held()
        if metric is None or here is None:
            return None
        return points_json(pack(prefix(here, metric)))

    connection.create_function("nbtrack_points", 1, points_json, deterministic=True)
    connection.create_function("nbtrack_shared", 1, shared)


def _weakly(connection: sqlite3.Connection) -> Callable[[], sqlite3.Connection | None]:
    """The connection, which its own function must not keep open for ever."""
    try:
        return weakref.ref(connection)
    except TypeError:  # one of sqlite3's own kind, as Datasette has them
        return lambda: connection


def points_json(body: bytes | None) -> str | None:
    """The points of a chunk as JSON rows of step, value, at.

    NaN becomes null, as everywhere in SQLite; infinities stay, as 9e999.

    >>> from array import array
    >>> from nbtrack.store.chunks import Columns, pack
    >>> points_json(pack(Columns(array("q", [7]), array("d", [.5]), array("d", [1]))))
    '[[7,0.5,1.0]]'
    """
    if body is None:
        return None
    columns = unpack(body)
    rows = zip(columns.steps, columns.values, columns.at, strict=True)
    if math.isfinite(sum(columns.values) + sum(columns.at)):
        return json.dumps(list(rows), separators=(",", ":"))
    return "[" + ",".join(_row(*row) for row in rows) + "]"


def _row(step: int, value: float, at: float) -> str:
    return f"[{step},{_number(value)},{_number(at)}]"


def _number(value: float) -> str:
    if value != value:
        return "null"
    if math.isinf(value):
        return "9e999" if value > 0 else "-9e999"
    return repr(value)
