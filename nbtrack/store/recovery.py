"""Takes over what dead processes left in their journals.

Done by whoever opens the store next and wins the dead session's lock. It is the same
code that the living writer runs, from the position that was committed last, so that
nothing is lost and nothing is doubled. Runs that still ran become `crashed`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from nbtrack.guard import guard
from nbtrack.store.compact import compact_run
from nbtrack.store.database import Database, connect, connect_reader
from nbtrack.store.events import iso
from nbtrack.store.ingest import Ingest, settle_session
from nbtrack.store.liveness import SessionLock, is_alive
from nbtrack.store.process import PROCESS
from nbtrack.store.reading import BATCH_SLOTS
from nbtrack.store.segments import SLOT_BYTES, Segment, read_segment

_UNBORN_S = 3600.0  # a folder that was never finished being made


def recover(database: Path, *, network: bool) -> int:
    """Take over every dead journal; the number of sessions that were settled."""
    with PROCESS.lock:
        dead = _dead_folders(database.parent / "journal")
        if not dead and not _has_orphans(database):
            return 0
        writing = connect(database, network=network)
        try:
            n = sum(_take_over(writing, folder) for folder in dead)
            return n + _settle_orphans(writing)
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


def _take_over(database: Database, folder: Path) -> bool:
    lock = SessionLock.take_over(folder)
    if lock is None:
        return False
    try:
        _drain(database, lock)
    except (sqlite3.Error, OSError) as exc:
        lock.release()
        guard.warn_once("recovery", f"a dead session's points wait in {folder}: {exc}")
        return False
    lock.remove()
    return True


def _drain(database: Database, lock: SessionLock) -> None:
    ingest = Ingest(database, lock.id, is_recovery=True)
    ingest.begin(lock.facts())
    for path in sorted(lock.folder.glob("*.seg")):
        segment = read_segment(path)
        if segment is not None and segment.number >= ingest.segment:
            _drain_segment(ingest, segment)
        elif segment is not None:
            _drain_holes(ingest, segment)
    runs = database.connection.execute(
        "select id from runs where session = ?", (lock.id,)
    ).fetchall()
    with database.write(durable=True):
        settle_session(database, lock.id, now=iso(time.time()))
    for (run,) in runs:
        compact_run(database, run)


def _drain_segment(ingest: Ingest, segment: Segment) -> None:
    """Take everything that was written; nobody will write the empty slots now."""
    _drain_holes(ingest, segment)
    start = ingest.slot if segment.number == ingest.segment else 1
    for begin in range(start, segment.end, BATCH_SLOTS):
        stop = min(begin + BATCH_SLOTS, segment.end)
        if segment.marks(begin, stop).strip(b"\0"):
            ingest.take(
                segment.raw(begin, stop), segment, (segment.number, stop), ingest.holes
            )


def _drain_holes(ingest: Ingest, segment: Segment) -> None:
    for hole in [h for h in ingest.holes if h[0] == segment.number]:
        left = [h for h in ingest.holes if h != hole]
        raw = segment.raw(hole[1], hole[1] + 1)
        if raw[SLOT_BYTES - 1]:
            ingest.take(raw, segment, (ingest.segment, ingest.slot), left)


def _has_orphans(database: Path) -> bool:
    reader = connect_reader(database)
    try:
        return bool(_orphans(reader, database.parent / "journal"))
    finally:
        reader.close()


def _orphans(connection: sqlite3.Connection, journal: Path) -> list[str]:
    """Sessions with running runs and no journal folder: there is nothing to drain."""
    rows = connection.execute(
        "select distinct session from runs where status = 'running'"
        " and session is not null"
    ).fetchall()
    return [
        session
        for (session,) in rows
        if session not in PROCESS.sessions and not (journal / session).exists()
    ]


def _settle_orphans(database: Database) -> int:
    orphans = _orphans(database.connection, database.path.parent / "journal")
    if orphans:
        with database.write():
            for session in orphans:
                settle_session(database, session, now=iso(time.time()))
    return len(orphans)
