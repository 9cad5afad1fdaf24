"""Removes a run so that its bytes are gone: rows, points, files nobody else names."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from nbtrack.errors import RunNotFoundError, StoreError
from nbtrack.store.artifact_aliases import follow
from nbtrack.store.artifact_edits import protected
from nbtrack.store.database import Database
from nbtrack.store.described import forget_sources
from nbtrack.store.edits import forget_edits
from nbtrack.store.forks import give_forks_their_own
from nbtrack.store.free import Collector
from nbtrack.store.liveness import is_alive


def purge_run(database: Database, run_id: str) -> None:
    """Remove a run that is not running; what is freed is overwritten with zeros."""
    execute = database.connection.execute
    execute("pragma secure_delete = on")
    with database.write(durable=True):  # its files go next, for good
        _refuse(database, run_id)
        digests = _forget_versions(database.connection, run_id)
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


def _refuse(database: Database, run_id: str) -> None:
    execute = database.connection.execute
    row = execute("select status, session from runs where id = ?", (run_id,)).fetchone()
    if row is None:
        raise RunNotFoundError(f"There is no run {run_id!r} in this store.")
    journal = database.path.parent / "journal"
    if row[0] == "running" and row[1] and is_alive(journal / row[1]):
        raise StoreError(f"Run {run_id} is running: stop it before purging it.")


def _forget_versions(connection: sqlite3.Connection, run_id: str) -> frozenset[str]:
    """Remove the versions that only this run has to do with; the files it named.

    A version that is registered as a model, or has an alias of the user's, stays.
    """
    found = connection.execute(
        """
        select distinct versions.id, versions.artifact
        from artifact_uses as uses
        join artifact_versions as versions on versions.id = uses.version
        where uses.run = :run
          and not exists (
            select 1 from artifact_uses as other
            where other.version = versions.id and other.run != :run)
        """,
        {"run": run_id},
    ).fetchall()
    spared = protected(connection, [version for version, _ in found], "deleted")
    found = [each for each in found if each[0] not in spared]
    only = {"run": run_id, "versions": json.dumps([version for version, _ in found])}
    digests = connection.execute(
        """
        select digest from media where run = :run and digest is not null
        union
        select digest from artifact_files
        where version in (select value from json_each(:versions))
          and digest is not null
        """,
        only,
    ).fetchall()
    connection.execute(
        "delete from artifact_versions"
        " where id in (select value from json_each(:versions))",
        only,
    )
    connection.execute(
        "delete from artifacts where not exists (select 1 from artifact_versions"
        " where artifact = artifacts.id)"
    )
    for artifact in {artifact for _, artifact in found}:
        if _is_there(connection, artifact):
            follow(connection, artifact)
    return frozenset(digest for (digest,) in digests)


def _is_there(connection: sqlite3.Connection, artifact: int) -> bool:
    found = connection.execute("select 1 from artifacts where id = ?", (artifact,))
    return found.fetchone() is not None


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


def _remove_files(database: Database, run_id: str, digests: frozenset[str]) -> None:
    """Remove what no other run names, however lately it was kept."""

    @contextmanager
    def reading() -> Iterator[sqlite3.Connection]:
        yield database.connection

    @contextmanager
    def writing() -> Iterator[Database]:
        with database.write(durable=True):
            yield database

    store = database.path.parent
    now = time.time() + 60.0  # a clock that was set back must not spare them
    Collector(store, reading, writing, before=now, only=digests).collect()
    for left in (store / "resume").glob(f"{run_id}.*"):
        left.unlink(missing_ok=True)
