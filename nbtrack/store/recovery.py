"""Takes over what dead processes left in their journals.

Done by whoever opens the store next and wins the dead session's lock; `takeover` does
the work, and is only loaded where there is some. Runs that still ran become `crashed`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from nbtrack.errors import StoreDamagedError
from nbtrack.guard import guard
from nbtrack.store.database import BUSY_S, connect, connect_reader, store_error
from nbtrack.store.liveness import is_alive
from nbtrack.store.mounts import is_network
from nbtrack.store.process import PROCESS

_UNBORN_S = 3600.0  # a folder that was never finished being made


def recover_if_possible(database: Path, *, wait_s: float = BUSY_S) -> None:
    """Take over dead journals; a store that is busy now is no reason not to open it."""
    try:
        recover(database, network=is_network(database), wait_s=wait_s)
    except sqlite3.OperationalError as exc:
        error = store_error(database, exc)
        if isinstance(error, StoreDamagedError):
            raise error from exc
        guard.warn_once("recovery", f"dead journals wait: {error}")


def recover(database: Path, *, network: bool, wait_s: float = BUSY_S) -> int:
    """Take over every dead journal; the number of sessions that were settled."""
    with PROCESS.lock:
        dead = _dead_folders(database.parent / "journal")
        orphans = _orphans(database, wait_s)
        if not dead and not orphans:
            return 0
        from nbtrack.store.takeover import settle_orphans, take_over

        writing = connect(database, network=network, wait_s=wait_s)
        try:
            n = sum(take_over(writing, folder) for folder in dead)
            settle_orphans(writing, orphans)
            return n + len(orphans)
        finally:
            writing.close()


def _dead_folders(journal: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(journal) if entry.is_dir())
    except OSError:
        return []
    for name in names:
        if name.startswith("."):
            _remove_unborn(journal / name)
    return [
        journal / name
        for name in names
        if not name.startswith(".") and not is_alive(journal / name)
    ]


def _remove_unborn(folder: Path) -> None:
    with guard("tidying the journal"):
        if time.time() - folder.stat().st_mtime > _UNBORN_S:
            for path in folder.glob("*"):
                path.unlink(missing_ok=True)
            folder.rmdir()


def _orphans(database: Path, wait_s: float) -> list[str]:
    """Sessions with running runs and no journal folder: there is nothing to drain."""
    reader = connect_reader(database, wait_s=wait_s)
    try:
        rows = reader.execute(
            "select distinct session from runs where status = 'running'"
            " and session is not null"
        ).fetchall()
    finally:
        reader.close()
    journal = database.parent / "journal"
    return [
        session
        for (session,) in rows
        if session not in PROCESS.sessions and not (journal / session).exists()
    ]
