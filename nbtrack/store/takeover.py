"""Moves what a dead session left in its journal into the tables, and settles its runs.

It is the same code that the living writer runs, from the position that was committed
last, so that nothing is lost and nothing is doubled, however often it is cut short.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from nbtrack.guard import guard
from nbtrack.store.compact import compact_run
from nbtrack.store.database import Database
from nbtrack.store.ingest import Ingest, settle_session
from nbtrack.store.liveness import SessionLock
from nbtrack.store.reading import BATCH_SLOTS
from nbtrack.store.segments import SLOT_BYTES, Segment, read_segment
from nbtrack.store.values import iso


def take_over(database: Database, folder: Path) -> bool:
    """Take over one journal folder; False where that must wait."""
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


def settle_orphans(database: Database, sessions: list[str]) -> None:
    """Mark the runs of sessions that left nothing but their rows."""
    if sessions:
        with database.write():
            for session in sessions:
                settle_session(database, session, now=iso(time.time()))
