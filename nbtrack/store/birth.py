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
        _sync(aside)
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
    # Nobody knows the file yet: no journal, and one sync before it is linked. The order
    # matters: `auto_vacuum` writes the first page, in the modes that are set by then.
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(
            "pragma synchronous = off; pragma journal_mode = off;"
            f"pragma auto_vacuum = incremental; begin; {SCHEMA} {STAMP} commit;"
        )
        if not network:
            connection.execute("pragma journal_mode = wal")
    finally:
        connection.close()


def _sync(path: Path) -> None:
    """Rows are synced with the write-ahead log; the file under it must be there too."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
