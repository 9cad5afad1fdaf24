"""The rows that could be read, in a new database of the same version.

Rows that others hang from are made up where they are lost: points without their run are
still points. What cannot be kept without what it belongs to is left out, and counted.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from nbtrack.metric_names import goal_of
from nbtrack.store.chunks import unpack
from nbtrack.store.salvage.records import Row
from nbtrack.store.salvage.tables import NAMES_INDEX, Found, Table
from nbtrack.store.schema import APPLICATION_ID, SCHEMA, VERSION
from nbtrack.store.schema_v1 import SCHEMA_V1
from nbtrack.store.schema_v2 import SCHEMA_V2
from nbtrack.store.schema_v3 import SCHEMA_V3
from nbtrack.store.schema_v4 import SCHEMA_V4
from nbtrack.store.summary import Summary, summary_with
from nbtrack.store.values import now

SCHEMAS = {1: SCHEMA_V1, 2: SCHEMA_V2, 3: SCHEMA_V3, 4: SCHEMA_V4, VERSION: SCHEMA}
_OF_A_RUN = ("params", "tags", "metrics", "lives", "facts", "texts", "inputs", "media",
             "notices", "alerts", "artifact_uses", "checkpoints")  # fmt: skip
_OF_A_SESSION = ("runs", "lives", "cells", "series")
_ODD = (ValueError, TypeError, OverflowError, MemoryError, IndexError)  # points
MADE_UP = "salvaged"  # the experiment of runs that are made up


def rebuild(
    path: Path, version: int, tables: Mapping[str, Table], found: Mapping[str, Found]
) -> Counter[str]:
    """Make the database at `path`; how many rows each table has there."""
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.executescript(
            "pragma synchronous = off; pragma journal_mode = off;"
            f"pragma auto_vacuum = incremental; begin; {SCHEMAS[version]} commit;"
            f"pragma application_id = {APPLICATION_ID};"
            f"pragma user_version = {version};"
        )
        made.execute("begin")
        names = _names(made)
        for name in names & found.keys():
            _fill(made, tables[name], found[name].rows)
        _name_again(made, found.get(NAMES_INDEX, Found()).rows)
        _make_up(made, names)
        _drop_odd_points(made)
        _drop_strays(made)
        if "notices" in names:
            _tell_of_points(made)
        made.execute("commit")
        made.execute("pragma journal_mode = wal")
        return Counter({name: _count(made, name) for name in names})


def _names(made: sqlite3.Connection) -> set[str]:
    rows = made.execute(
        "select name from sqlite_master"
        " where type = 'table' and name not like 'sqlite%'"
    )
    return {name for (name,) in rows}


def _fill(made: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
    """Put the rows into the table of this name, each value under its own column."""
    known = {row[1] for row in made.execute(f'pragma table_info("{table.name}")')}
    columns = [column for column in table.columns if column in known]
    places = [table.columns.index(column) for column in columns]
    keeps_rowid = table.with_rowid and table.rowid_column is None
    into = [*columns, *(["rowid"] if keeps_rowid else [])]
    said = ", ".join(f'"{column}"' for column in into)
    marks = ", ".join("?" * len(into))
    # Names from the frozen schema alone.
    insert = f'insert or ignore into "{table.name}"({said}) values ({marks})'  # noqa: S608
    for row in rows:
        if len(row.values) > len(table.columns):
            continue  # of another table
        values: list[Any] = [
            row.values[at] if at < len(row.values) else None for at in places
        ]
        if table.rowid_column in columns:
            values[columns.index(table.rowid_column)] = row.rowid
        try:
            made.execute(insert, [*values, *([row.rowid] if keeps_rowid else [])])
        except (sqlite3.Error, OverflowError):
            continue  # counted: it is not among those that are there


def _name_again(made: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Metrics that are lost, from the index of their names; summed up from points."""
    for row in rows:
        if len(row.values) < 4:
            continue
        run, name, axis_of, *rest, id_ = row.values
        there = made.execute("select 1 from metrics where id = ?", (id_,)).fetchone()
        if there is not None or not isinstance(id_, int) or any(rest):
            continue  # one that was deleted is not brought back
        bodies = made.execute(
            "select body from chunks where metric = ? order by start", (id_,)
        )
        summary = Summary()
        for (body,) in bodies.fetchall():
            with suppress(*_ODD):
                summary = summary_with(summary, unpack(body))
        made.execute(
            "insert or ignore into metrics(id, run, name, axis_of, goal, n, last,"
            " last_step, min, min_step, max, max_step, n_nan, first_nan_step)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (id_, run, name, axis_of or None, goal_of(str(name)), *summary.row()),
        )


def _make_up(made: sqlite3.Connection, names: set[str]) -> None:
    """Runs and sessions that rows hang from and that are lost themselves."""
    for table in names & set(_OF_A_RUN):
        made.execute(
            "insert or ignore into runs(id, name, experiment, status, started_at)"  # noqa: S608
            f" select distinct run, 'salvaged-' || run, ?, 'crashed', ? from {table}"
            " where run is not null",
            (MADE_UP, now()),
        )
    for table in names & set(_OF_A_SESSION):
        made.execute(
            "insert or ignore into sessions(id, started_at)"  # noqa: S608
            f" select distinct session, ? from {table} where session is not null",
            (now(),),
        )


def _drop_odd_points(made: sqlite3.Connection) -> None:
    for id_, n, body in made.execute("select id, n, body from chunks").fetchall():
        is_whole = False
        with suppress(*_ODD):
            is_whole = len(unpack(body).values) == n
        if not is_whole:
            made.execute("delete from chunks where id = ?", (id_,))


def _drop_strays(made: sqlite3.Connection) -> None:
    """Rows whose parent is lost: without it where they may be, else not at all."""
    if _has(made, "artifact_files"):
        made.execute(
            "delete from artifact_files"
            " where version not in (select id from artifact_versions)"
        )
    while strays := made.execute("pragma foreign_key_check").fetchall():
        for table, rowid, _, nth in strays:
            column = _column(made, table, nth)
            change = (
                f'delete from "{table}" where rowid = ?'  # noqa: S608
                if column is None
                else f'update "{table}" set "{column}" = null where rowid = ?'  # noqa: S608
            )
            made.execute(change, (rowid,))


def _column(made: sqlite3.Connection, table: str, nth: int) -> str | None:
    """The column of a foreign key, where it may be null."""
    keys = made.execute(f'pragma foreign_key_list("{table}")').fetchall()
    column: str = next(key[3] for key in keys if key[0] == nth)
    columns = made.execute(f'pragma table_info("{table}")').fetchall()
    needed = any(c[1] == column and (c[3] or c[5]) for c in columns)
    return None if needed else column


def _tell_of_points(made: sqlite3.Connection) -> None:
    """A curve that has gaps says so."""
    made.execute(
        """
        insert into notices(run, text)
        select metrics.run, printf('%d of %d points of %s were lost: the store was '
          || 'damaged, and salvaged', metrics.n - coalesce(sum(chunks.n), 0), metrics.n,
          metrics.name)
        from metrics left join chunks on chunks.metric = metrics.id
        group by metrics.id having coalesce(sum(chunks.n), 0) < metrics.n
        """
    )


def _has(made: sqlite3.Connection, name: str) -> bool:
    return name in _names(made)


def _count(made: sqlite3.Connection, name: str) -> int:
    return int(made.execute(f'select count(*) from "{name}"').fetchone()[0])  # noqa: S608
