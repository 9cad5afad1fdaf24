"""Removes a run so that its bytes are gone: rows, points, files nobody else names."""

from __future__ import annotations

from pathlib import Path

from nbtrack.errors import RunNotFoundError, StoreError
from nbtrack.store.blobs import blob_path
from nbtrack.store.database import Database
from nbtrack.store.described import forget_sources
from nbtrack.store.edits import forget_edits
from nbtrack.store.forks import give_forks_their_own
from nbtrack.store.liveness import is_alive


def purge_run(database: Database, run_id: str) -> None:
    """Remove a run that is not running; what is freed is overwritten with zeros."""
    execute = database.connection.execute
    execute("pragma secure_delete = on")
    with database.write():
        digests = _refuse_or_list(database, run_id)
        execute("delete from controls where run = ?", (run_id,))
        execute("delete from unread where body like ?", (f'%"run": "{run_id}"%',))
        _forget_cells(database, run_id)
        give_forks_their_own(database.connection, run_id)
        forget_edits(database.connection, run_id)
        execute("delete from runs where id = ?", (run_id,))
        forget_sources(database.connection)
        _remove_files(database, run_id, digests)
    with database.alone():
        execute("pragma wal_checkpoint(truncate)").fetchall()
        execute("vacuum")
        execute("pragma wal_checkpoint(truncate)").fetchall()


def _refuse_or_list(database: Database, run_id: str) -> list[str]:
    execute = database.connection.execute
    row = execute("select status, session from runs where id = ?", (run_id,)).fetchone()
    if row is None:
        raise RunNotFoundError(f"There is no run {run_id!r} in this store.")
    journal = database.path.parent / "journal"
    if row[0] == "running" and row[1] and is_alive(journal / row[1]):
        raise StoreError(f"Run {run_id} is running: stop it before purging it.")
    rows = execute(
        "select digest from checkpoints where run = :run union"
        " select digest from media where run = :run and digest is not null",
        {"run": run_id},
    )
    return [digest for (digest,) in rows.fetchall()]


def _forget_cells(database: Database, run_id: str) -> None:
    """The cells of its sessions go with the last run; before, the text of its own."""
    execute = database.connection.execute
    sessions = execute(
        "select session from runs where id = :run"
        " union select session from lives where run = :run",
        {"run": run_id},
    ).fetchall()
    for (session,) in sessions:
        both = {"run": run_id, "session": session}
        execute(
            """
            update cells set source_digest = null, flow = null
            where session = :session and source_digest in (
              select source_digest from runs where id = :run union
              select source_digest from texts where run = :run and role = 'source')
            """,
            both,
        )
        execute(
            """
            delete from cells where session = :session
              and not exists (
                select 1 from runs where session = :session and id != :run)
              and not exists (
                select 1 from lives where session = :session and run != :run)
            """,
            both,
        )


def _remove_files(database: Database, run_id: str, digests: list[str]) -> None:
    for digest in digests:
        named = database.connection.execute(
            "select 1 from checkpoints where digest = :digest union all"
            " select 1 from media where digest = :digest",
            {"digest": digest},
        ).fetchone()
        if named is None:
            blob: Path = blob_path(database.path.parent / "blobs", digest)
            blob.unlink(missing_ok=True)
    for left in (database.path.parent / "resume").glob(f"{run_id}.*"):
        left.unlink(missing_ok=True)
