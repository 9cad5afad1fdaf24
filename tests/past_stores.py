"""Stores as older versions of nbtrack left them."""

from __future__ import annotations

import sqlite3

from nbtrack.store.schema import APPLICATION_ID
from nbtrack.store.schema_v1 import SCHEMA_V1
from nbtrack.store.schema_v2 import SCHEMA_V2
from nbtrack.store.schema_v3 import SCHEMA_V3
from nbtrack.store.schema_v4 import SCHEMA_V4

PAST = {1: SCHEMA_V1, 2: SCHEMA_V2, 3: SCHEMA_V3, 4: SCHEMA_V4}


def past_store(folder, version, rows=""):
    """The database of a store of that version, with these rows in it."""
    folder.mkdir(parents=True)
    path = folder / "nbtrack.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        f"{PAST[version]} pragma application_id = {APPLICATION_ID};"
        f"pragma user_version = {version}; {rows}"
    )
    connection.close()
    return path
