"""Merges another store into this one: one transaction for each run, with all it has.

The rule for what is in both: what is here stays as the user has it (name, group, tags,
notes, trash, renamed metrics, aliases, numbers of versions), and what was recorded of a
run that went on there is added. Nothing here is taken away, nothing there is changed,
and to merge again changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nbtrack.errors import StoreError
from nbtrack.store.database import Database, identity_of
from nbtrack.store.merge.artifacts import ArtifactTaker
from nbtrack.store.merge.check import damage_of, is_damage
from nbtrack.store.merge.choice import Choice, choice_for
from nbtrack.store.merge.copy import OtherStore, other_store
from nbtrack.store.merge.edits import take_edits
from nbtrack.store.merge.files import FileTaker
from nbtrack.store.merge.models import take_models
from nbtrack.store.merge.report import MergeReport
from nbtrack.store.merge.runs import RunTaker

if TYPE_CHECKING:
    from nbtrack.store.store import Store

_BAD_ROW = (sqlite3.IntegrityError, sqlite3.DataError, ValueError, TypeError)


def merge(store: Store, other: Path | str) -> MergeReport:
    """Take all that another store has into this one; see `nbtrack.merge`."""
    if store.why_read_only is not None:
        raise StoreError(store.why_read_only)
    with other_store(other) as there:
        if identity_of(there.folder) == identity_of(store.path):
            raise StoreError(f"{there.folder} is this store itself.")
        files = FileTaker(store._saves(), there.files)
        with store._connected() as database:
            where = f"file:{quote(str(there.database))}?mode=ro"
            database.connection.execute("attach ? as other", (where,))
            with _saying_where_it_stopped(there.folder):
                taken = _Merge(database, there, files).all()
                taken["n_edits"] = take_edits(database)
        models, notices = take_models(store, there.copy)
    return MergeReport(
        str(there.folder), models=models, n_files=files.n_files, n_bytes=files.n_bytes,
        notices=(*taken.pop("notices"), *notices), **taken,
    )  # fmt: skip


@contextmanager
def _saying_where_it_stopped(other: Path) -> Iterator[None]:
    """An error of SQLite does not tell in which of the two stores it was."""
    try:
        yield
    except sqlite3.Error as exc:
        raise StoreError(
            f"Merging {other} stopped: {exc}. The runs that came are whole: merge "
            "again to go on."
        ) from exc


class _Merge:
    """The runs and artifacts of one merge."""

    def __init__(self, database: Database, there: OtherStore, files: FileTaker) -> None:
        self._database = database
        self._connection = database.connection
        self._there = there
        self._files = files
        self._artifacts = ArtifactTaker(self._connection, files)
        self._runs = RunTaker(self._connection, self._artifacts)
        self._done: dict[str, list[str]] = {"new": [], "updated": [], "there": []}
        self._skipped: dict[str, str] = {}
        self._notices: list[str] = []

    def all(self) -> dict[str, Any]:
        """Take everything; what a report says of it."""
        for run in self._ids():
            if run in self._there.running:
                self._skipped[run] = "it is running there"
            else:
                self._take(run)
        for version in self._artifacts.unused():
            self._take_version(version)
        return {
            "new": tuple(self._done["new"]), "updated": tuple(self._done["updated"]),
            "n_there": len(self._done["there"]), "skipped": self._skipped,
            "versions": tuple(self._artifacts.new),
            "renumbered": self._artifacts.renumbered,
            "notices": (*self._artifacts.notices, *self._notices),
        }  # fmt: skip

    def _ids(self) -> list[str]:
        """Parents and those that others were forked from come first, being older."""
        rows = self._connection.execute(
            "select id from other.runs order by started_at, id"
        ).fetchall()
        return [run for (run,) in rows]

    def _take(self, run: str) -> None:
        what, why = self._choose(run)
        if why is None and what != "there":
            why = damage_of(self._connection, run)
        if why is None and what != "there":
            without, n_failed = self._files_of(run)
            if n_failed:  # so it may be no more than what came before
                what, why = self._choose(run, n_failed)
            if why is None and what != "there":
                why = self._write(run, without, is_new=what == "new")
        if why is not None:
            self._skipped[str(run)] = why
        else:
            self._done[what].append(run)

    def _choose(self, run: str, n_failed: int = 0) -> tuple[Choice, str | None]:
        journal = self._database.path.parent / "journal"
        try:
            return choice_for(self._connection, run, journal, n_failed=n_failed)
        except sqlite3.DatabaseError as exc:
            if is_damage(exc):
                return "there", f"damaged: {exc}"
            raise

    def _write(self, run: str, without: list[str], *, is_new: bool) -> str | None:
        """All rows of the run at once; why they cannot be written."""
        n_new, renumbered = len(self._artifacts.new), dict(self._artifacts.renumbered)
        take = self._runs.insert if is_new else self._runs.update
        try:
            with self._database.write():
                take(run, without=without)
        except _BAD_ROW as exc:
            del self._artifacts.new[n_new:]
            self._artifacts.renumbered = renumbered
            return f"damaged: {exc}"
        return None

    def _files_of(self, run: str) -> tuple[list[str], int]:
        """Have the files of a run here, before any row names them.

        The digests of rich values that failed, and how many of its rows cannot come.
        """
        uses = self._connection.execute(
            "select version from other.artifact_uses where run = ?", (run,)
        ).fetchall()
        n_failed = sum(not self._artifacts.prepare(version) for (version,) in uses)
        rows = self._connection.execute(
            "select name, step, digest from other.media"
            " where run = ? and digest is not null",
            (run,),
        ).fetchall()
        failed = []
        for name, step, digest in rows:
            why = self._files.take(digest)
            if why is not None:
                failed.append(digest)
                self._notices.append(f"{name} at step {step} of run {run}: {why}")
        return failed, n_failed + len(failed)

    def _take_version(self, version: int) -> None:
        if not self._artifacts.prepare(version):
            return
        n_new = len(self._artifacts.new)
        with self._database.write():
            here = self._artifacts.take(version)
            if here is not None and len(self._artifacts.new) > n_new:
                self._artifacts.follow(here)
