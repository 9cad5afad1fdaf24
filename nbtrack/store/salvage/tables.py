"""Which pages hold the rows of which table, when the way down to them is damaged too.

From its root a table's pages are found as SQLite finds them. Below a damaged one they
are found by the map of parents that the store's file has (`auto_vacuum`): each page
says in it which page it hangs from, up to a root.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbtrack.store.salvage.pages import NODE, ROOT, DamageError, Pages
from nbtrack.store.salvage.records import Row, read_node

# An index has once more what points cannot do without: whose and which they are.
NAMES_INDEX = "metrics_name"
_INDEXED = ("run", "name", "axis_of", "deleted_at", "id")  # version 1 has one less
_DEEPEST = 50  # pages from a leaf to its root; SQLite's trees have a handful


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the file has it."""

    name: str
    root: int
    columns: tuple[str, ...]  # in the order of the values of a row
    rowid_column: str | None  # whose value is the row's number
    with_rowid: bool


@dataclass(slots=True)
class Found:
    """The rows of a table, and what cannot be read of it."""

    rows: list[Row] = field(default_factory=list)
    lost_pages: set[int] = field(default_factory=set)
    n_lost_rows: int = 0  # of pages that can be read
    n_odd: int = 0  # pages that are in two places, rows that are out of order

    @property
    def damage(self) -> int:
        """How much is wrong with it."""
        return len(self.lost_pages) + self.n_lost_rows + self.n_odd


def read_tables(pages: Pages, tables: Mapping[str, Table]) -> dict[str, Found]:
    """The rows of each table."""
    seen: set[int] = set()
    found = {name: _descend(pages, table, seen) for name, table in tables.items()}
    by_root = {table.root: table for table in tables.values()}
    for number in range(3, pages.count + 1):
        if number in seen:
            continue
        table = _owner(pages, number, by_root)
        if table is not None and _take(pages, table, number, found[table.name]):
            seen.add(number)
    for each in found.values():
        each.lost_pages -= seen
    return found


def schema_of(pages: Pages) -> dict[str, Table]:
    """The tables that the file says it has; none where its first page is damaged."""
    master = Table("sqlite_schema", 1, (), None, with_rowid=True)
    tables = {}
    for row in _descend(pages, master, set()).rows:
        if len(row.values) != 5:
            continue
        kind, name, _, root, sql = row.values
        if kind == "table":
            table = table_of(name, root, sql)
        elif name == NAMES_INDEX and isinstance(root, int):
            table = Table(NAMES_INDEX, root, _INDEXED, None, with_rowid=False)
        else:
            continue
        if table is not None:
            tables[table.name] = table
    return tables


def table_of(name: Any, root: Any, sql: Any) -> Table | None:
    """A table by its own statement; None where that makes none."""
    is_text = isinstance(name, str) and isinstance(sql, str) and isinstance(root, int)
    if not is_text or not sql.lower().startswith("create table"):
        return None
    with closing(sqlite3.connect(":memory:")) as scratch:
        # A damaged file may say anything here: one table is made, and nothing else.
        scratch.set_authorizer(_only_a_table)
        try:
            scratch.execute(sql)
            scratch.set_authorizer(None)
            columns = scratch.execute(
                "select name, type, pk from pragma_table_info(?)", (name,)
            ).fetchall()
        except (sqlite3.Error, sqlite3.Warning):
            return None
    with_rowid = "without rowid" not in sql.lower()
    keys = sorted((c for c in columns if c[2]), key=lambda column: int(column[2]))
    if not with_rowid:  # they are kept with their key first
        columns = [*keys, *(column for column in columns if not column[2])]
    is_number = len(keys) == 1 and str(keys[0][1]).lower() == "integer"
    return Table(
        name,
        root,
        tuple(column[0] for column in columns),
        keys[0][0] if is_number and with_rowid else None,
        with_rowid,
    )


def born_schemas(folder: Path, script: str) -> Iterator[dict[str, Table]]:
    """The tables of a new store, and of a vacuumed one: where their roots are."""
    for nth, vacuum in enumerate(("", "vacuum;")):
        path = folder / f"born-{nth}.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as born:
            born.executescript(f"pragma auto_vacuum = incremental; {script} {vacuum}")
        yield schema_of(Pages(path.read_bytes()))
        path.unlink()


def fit(pages: Pages, tables: Mapping[str, Table]) -> int:
    """How many of the tables begin where a page of their kind is."""
    n = 0
    for table in tables.values():
        try:
            node = read_node(pages, table.root, with_rowid=table.with_rowid)
        except DamageError:
            continue
        is_fit = all(len(row.values) <= len(table.columns) for row in node.rows)
        n += 1 if is_fit else -1
    return n


def _only_a_table(action: int, first: str | None, *_: Any) -> int:
    allowed = {
        sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE,
        sqlite3.SQLITE_READ, sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_REINDEX,
    }  # fmt: skip
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _descend(pages: Pages, table: Table, seen: set[int]) -> Found:
    """From the root down, in order."""
    found, waiting, last = Found(), [table.root], None
    while waiting:
        number = waiting.pop()
        if number in seen:
            found.n_odd += 1
            continue
        try:
            node = read_node(pages, number, with_rowid=table.with_rowid)
        except DamageError:
            found.lost_pages.add(number)
            continue
        seen.add(number)
        waiting += reversed(node.children)
        found.rows += node.rows
        found.n_lost_rows += node.n_damaged
        for row in node.rows if table.with_rowid else ():
            found.n_odd += (
                last is not None and row.rowid is not None and row.rowid <= last
            )
            last = row.rowid
    return found


def _owner(pages: Pages, number: int, by_root: Mapping[int, Table]) -> Table | None:
    """Whose page it is, by the map of parents."""
    for _ in range(_DEEPEST):
        try:
            kind, parent = pages.parent(number)
        except DamageError:
            return None
        if kind == ROOT:
            return by_root.get(number)
        if kind != NODE:
            return None
        number = parent
    return None


def _take(pages: Pages, table: Table, number: int, found: Found) -> bool:
    """The rows of a page that no readable page leads to; False where it is damaged."""
    try:
        node = read_node(pages, number, with_rowid=table.with_rowid)
    except DamageError:
        found.lost_pages.add(number)
        return False
    found.rows += node.rows
    found.n_lost_rows += node.n_damaged
    return True
