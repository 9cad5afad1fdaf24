"""Runs as plain rows of a SQLite file that any `sqlite3` shell reads; points too.

A table `nbtrack` says what the file holds: `state` is the same where all of it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from nbtrack.store.chunks import Columns
from nbtrack.store.logged import LoggedSeries

_SCHEMA = """
create table nbtrack (name text primary key, value text not null);
create table runs (
  id text primary key, name text not null, experiment text not null,
  status text not null, started_at text not null, ended_at text, duration_s real,
  "group" text, parent text, notes text not null, notebook text, cell_id text,
  execution integer, source text, error text, reason text, trashed_at text,
  forked_from text, fork_step integer, peak_rss_bytes integer,
  peak_vram_bytes integer, model_bytes integer, grade text, grade_why text
);
create table params (
  run text not null references runs(id), name text not null, value, json text,
  origin text not null, cell text, primary key (run, name)
);
create table tags (
  run text not null references runs(id), name text not null, value text,
  primary key (run, name)
);
create table summaries (
  run text not null references runs(id), name text not null, goal text,
  n integer not null, last real, last_step integer, min real, min_step integer,
  max real, max_step integer, best real, best_step integer, n_nan integer not null,
  first_nan_step integer, thinned integer not null, primary key (run, name)
);
create table points (
  run text not null references runs(id), metric text not null, axis_of text,
  step integer not null, value real, at real
);
create table facts (
  run text not null references runs(id), name text not null, value, json text,
  missing text, primary key (run, name)
);
create table texts (
  run text not null references runs(id), role text not null, name text not null,
  digest text, body text, n_redacted integer not null, missing text,
  primary key (run, role, name)
);
create table inputs (
  run text not null references runs(id), name text not null, type text not null,
  digest text, size_bytes integer, n_rows integer, detail text not null, missing text
);
create table notices (run text not null references runs(id), notice text not null);
create table media (
  run text not null references runs(id), name text not null, type text not null,
  step integer not null, at real not null, mime text, digest text,
  size_bytes integer, data text
);
create table artifacts (
  run text not null references runs(id), name text not null,
  version integer not null, type text not null, role text not null, step integer,
  metrics text not null, path text not null, at text not null, digest text not null,
  size_bytes integer not null, description text not null, metadata text not null,
  aliases text not null, tags text not null
);
create table artifact_files (
  run text not null references runs(id), artifact text not null,
  version integer not null, path text not null, digest text, size_bytes integer,
  uri text, etag text
);
"""
_INDEXES = "create index points_metric on points(run, metric);"
_LISTS = ("params", "tags", "facts", "texts", "inputs", "media", "artifacts")
# Their values stand there as they are, and once more as JSON, which tells 1 from true.
_OF_ANY_TYPE = ("params", "facts")
Document = Mapping[str, Any]  # Any: what JSON can hold; see `interop.export.documents`


class HasPoints(Protocol):
    """What points are read from: a store."""

    def logged_series(self, run_id: str) -> list[LoggedSeries]:
        """See `nbtrack.store.logged`."""

    def logged_points(self, series: LoggedSeries) -> Iterator[Columns]:
        """See `nbtrack.store.logged`."""


def write_rows_to(
    path: Path, documents: Iterable[Document], store: HasPoints, *, state: str
) -> None:
    """Make the file. What is NaN is null, times too, since SQLite has no NaN."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # It is moved to its place when it is whole: nothing need be undone.
        connection.execute("pragma journal_mode = off")
        connection.execute("pragma synchronous = off")
        connection.executescript(_SCHEMA)
        connection.execute("begin")
        connection.execute("insert into nbtrack values ('state', ?)", (state,))
        for document in documents:
            _insert_run(connection, document)
            _insert_points(connection, store, str(document["id"]))
        connection.execute("commit")
        connection.executescript(_INDEXES)


def state_in(path: Path) -> str | None:
    """What a file was made of; None where it is none of these."""
    if not path.is_file():
        return None
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as connection:
            row = connection.execute(
                "select value from nbtrack where name = 'state'"
            ).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])


def _insert_run(connection: sqlite3.Connection, document: Document) -> None:
    run = {"run": document["id"]}
    _insert(connection, "runs", [document])
    _insert(connection, "summaries", [{**run, **m} for m in document["metrics"]])
    for table in _LISTS:
        rows = [{**run, **row} for row in document[table]]
        if table in _OF_ANY_TYPE:
            rows = [{**row, "json": _json(row["value"])} for row in rows]
        _insert(connection, table, rows)
    _insert(connection, "notices", [{**run, "notice": n} for n in document["notices"]])
    for use in document["artifacts"]:
        about = {**run, "artifact": use["name"], "version": use["version"]}
        rows = [{**about, **file} for file in use["files"]]
        _insert(connection, "artifact_files", rows)


def _insert(
    connection: sqlite3.Connection, table: str, rows: Sequence[Document]
) -> None:
    names = [
        name
        for (name,) in connection.execute(
            "select name from pragma_table_info(?)", (table,)
        )
    ]
    places = ", ".join("?" * len(names))
    connection.executemany(
        f"insert into {table} values ({places})",  # noqa: S608 - constants only
        [[_value(row.get(name)) for name in names] for row in rows],
    )


def _insert_points(connection: sqlite3.Connection, store: HasPoints, run: str) -> None:
    for series in store.logged_series(run):
        about = (run, series.name, series.axis_of)
        for points in store.logged_points(series):
            rows = zip(points.steps, points.values, points.at, strict=True)
            connection.executemany(
                "insert into points values (?, ?, ?, ?, ?, ?)",
                ((*about, *row) for row in rows),
            )


def _value(value: Any) -> Any:  # Any: what JSON can hold, and what SQLite can
    """Scalars as they are, everything else as JSON; numbers that JSON lacks as such."""
    if isinstance(value, dict) and set(value) == {"$float"}:
        return float(value["$float"])
    if isinstance(value, dict | list):
        return _json(value)
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
