"""Registers `nbtrack_points` in sqlite-utils and Datasette, so `points` works there.

Both find this module by its entry point. The bare `sqlite3` shell cannot load it.
"""

from __future__ import annotations

import sqlite3

from pluggy import HookimplMarker

from nbtrack.store.sql import register


@HookimplMarker("datasette")
@HookimplMarker("sqlite_utils")
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Register on a connection; called by sqlite-utils and Datasette."""
    register(conn)
