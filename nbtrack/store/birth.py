"""A new store: its database is made aside and linked into place whole.

So another process sees no store or a complete one, and of two that are born at the
same moment the second uses the first's.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store.locate import prepare_folder
from nbtrack.store.schema import SCHEMA, STAMP


def make_store(database: Path, *, network: bool) -> None:
    """Make the folders and the database of a store that is not there yet."""
    prepare_folder(database.parent)
    aside = database.with_name(f".new-{os.urandom(8).hex()}.db")
    try:
        _write_schema(aside, network=network)
        aside.chmod(0o600)
        os.link(aside, database)
    except FileExistsError:
        pass  # another process was faster: its store is as good
    except (OSError, sqlite3.Error) as exc:
        raise StoreError(
            f"No store can be made at {database.parent}: {exc}. "
            "Set NBTRACK_STORE to a folder that can be written."
        ) from exc
    finally:
        aside.unlink(missing_ok=True)


def _write_schema(path: Path, *, network: bool) -> None:
    # Nobody knows the file yet: no journal and no sync are needed until it is linked.
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(
            "pragma auto_vacuum = incremental; pragma synchronous = off;"
            f"pragma journal_mode = off; begin; {SCHEMA} {STAMP} commit;"
        )
        if not network:
            connection.execute("pragma journal_mode = wal")
    finally:
        connection.close()
