"""Brings a store of an older nbtrack to today's tables, with sqlite-utils.

One function per version; each runs in one transaction with the row that records it,
so a store is old or new and never between. New stores do not come here: importing
sqlite-utils takes over a second, so they are born from `schema.SCHEMA`, and a test
holds that both ways end at the same tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbtrack.store.database import connect
from nbtrack.store.schema import APPLICATION_ID, SCHEMA, VERSION

NAME = "nbtrack"


def upgrade(path: Path, *, network: bool) -> None:
    """Apply what is missing to the store at `path`, then stamp it as current."""
    import sqlite_utils

    database = connect(path, network=network)
    try:
        with database.alone():
            migrations().apply(sqlite_utils.Database(database.connection))
            database.connection.execute(f"pragma user_version = {VERSION}")
    finally:
        database.close()


def migrations() -> Any:  # Any: sqlite-utils is only imported here
    """All versions so far, oldest first."""
    from sqlite_utils import Migrations

    known = Migrations(NAME)
    known(name="v1_tables")(_v1_tables)
    return known


def _v1_tables(db: Any) -> None:
    for statement in _statements(SCHEMA):
        db.conn.execute(statement)
    db.conn.execute(f"pragma application_id = {APPLICATION_ID}")


def _statements(script: str) -> list[str]:
    return [part for part in script.split(";\n") if part.strip()]
