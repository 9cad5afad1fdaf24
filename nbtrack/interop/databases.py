"""Opens SQLite databases of other tools: read only, whatever they hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote

from nbtrack.errors import ImportSourceError
from nbtrack.text import shorten, visible

SQLITE = "sqlite:///"  # what SQLAlchemy, and so MLflow and Optuna, call such a file
_WAIT_S = 20.0  # for a tool that is writing


def sqlite_file(place: str) -> Path | None:
    """The file that a place names: a path, or an address of SQLite.

    >>> sqlite_file("sqlite:///a%20b.db?mode=ro"), sqlite_file("mysql://host/db")
    (PosixPath('a b.db'), None)
    """
    if place.startswith(SQLITE):
        return Path(unquote(place.removeprefix(SQLITE).partition("?")[0]))
    return None if "://" in place or "\0" in place else Path(place)


def open_database(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; text that is no UTF-8 comes with marks.

    Raises
    ------
    ImportSourceError
        Where the file cannot be read as a database.
    """
    try:
        connection = _connected(path, "mode=ro")
        try:
            connection.execute("select 1 from sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # A folder that cannot be written, where the file's log needs an index.
            connection.close()
            connection = _connected(path, "mode=ro&immutable=1")
            connection.execute("select 1 from sqlite_master").fetchone()
    except sqlite3.Error as exc:
        shown = shorten(visible(repr(str(path))))
        raise ImportSourceError(f"{shown} cannot be read: {exc}.") from exc
    return connection


def has_tables(path: Path, names: Collection[str]) -> bool:
    """Whether a file is a database that has all these tables; never raises."""
    # Not by its first bytes: to close a file drops the locks that this process has on
    # it, and the study that lies there may be running here.
    try:
        with closing(open_database(path)) as connection:
            return set(names) <= tables_of(connection)
    except (OSError, sqlite3.Error, ImportSourceError):
        return False


def tables_of(connection: sqlite3.Connection) -> set[str]:
    """What its tables are called."""
    rows = connection.execute("select name from sqlite_master where type = 'table'")
    return {name for (name,) in rows}


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """What the columns of a table are called; none where there is no such table."""
    rows = connection.execute(
        "select name from pragma_table_info(?) order by cid", (table,)
    )
    return [name for (name,) in rows]


def _connected(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{how}", uri=True, timeout=_WAIT_S
    )
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return connection
