"""The store as others hold it: one object per place that opens it.

Reading goes through a connection of its own and never meets the writer. Writing is
either the journal (everything a running run says) or one short transaction
(`control`, `edit`, `purge`: anything about any run, from any process).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbtrack.errors import NbtrackError, StoreError, StoreReadOnlyError
from nbtrack.records import RunRecord
from nbtrack.store.artifact_edits import EditsArtifacts
from nbtrack.store.artifacts import ReadsArtifacts
from nbtrack.store.birth import make_store
from nbtrack.store.database import (
    BUSY_S,
    Connection,
    Database,
    connect,
    connect_reader,
    identity_of,
    inspect,
    readable_errors,
    refuse_too_new,
    why_read_only,
)
from nbtrack.store.details import Details
from nbtrack.store.files import KeepsFiles
from nbtrack.store.journal import Journal
from nbtrack.store.lineage_rows import ReadsLineage
from nbtrack.store.locate import (
    DATABASE_NAME,
    folder_for,
    no_store,
    prepare_folder,
    refuse_foreign_link,
)
from nbtrack.store.logged import ReadsLogged
from nbtrack.store.model_copies import CopiesModels
from nbtrack.store.models import KeepsModels
from nbtrack.store.mounts import is_network
from nbtrack.store.owners import MeasuresDisk
from nbtrack.store.process import PROCESS
from nbtrack.store.queries import (
    find_run_id,
    last_of_name,
    read_notices,
    read_runs,
    read_source,
)
from nbtrack.store.recovery import recover_if_possible
from nbtrack.store.registry import note_store
from nbtrack.store.schema import VERSION
from nbtrack.store.session import (
    Session,
    join_session,
    leave_session,
    read_only_journal,
)
from nbtrack.store.small_reads import ReadsLittle

if TYPE_CHECKING:
    from nbtrack.store.curves import Cursor, Curve, Tail
    from nbtrack.store.edits import Edits
    from nbtrack.store.merge.report import MergeReport
    from nbtrack.store.table import Table

JOURNAL_GOES_S = 2.0  # the longest a purge waits for its own journal to be rid of a run

# What a run's first second does not need is imported where it is used: the import of
# the store is most of the time until the first metric is taken.


class Store(
    Details,
    KeepsFiles,
    ReadsArtifacts,
    EditsArtifacts,
    ReadsLineage,
    KeepsModels,
    CopiesModels,
    MeasuresDisk,
    ReadsLittle,
    ReadsLogged,
):
    """A `.nbtrack` folder, open. Make one with `Store.open`.

    `path` is the folder, `created` whether this call made it, `read_only` whether it
    can only be read, and then `why_read_only` says why. Safe to use from threads.

    >>> import tempfile
    >>> with Store.open(tempfile.mkdtemp()) as store:
    ...     store.created, store.runs()
    (True, [])
    """

    _wait_s = BUSY_S  # for a lock of another process

    def __init__(
        self, path: Path, *, created: bool, version: int, why_read_only: str | None
    ) -> None:
        self.path = path
        self._version = version
        self.created = created
        self.why_read_only = why_read_only
        self._database = path / DATABASE_NAME
        self._identity = identity_of(self._database)
        self._network = is_network(path)
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._reader: Connection | None = None
        self._queries: Connection | None = None
        self._session: Session | None = None
        self._journal: Journal | None = None

    @classmethod
    def open(
        cls,
        path: Path | str | None = None,
        *,
        near: Path | str | None = None,
        create: bool = True,
    ) -> Store:
        """Open a store: the one named, else the one that applies at `near`.

        Without a path that is `NBTRACK_STORE`, else the nearest `.nbtrack/` upward,
        else a new one beside `near`. What dead processes left is taken over.

        Parameters
        ----------
        path
            The `.nbtrack` folder or the folder that holds it.
        near
            A notebook or folder; the working folder by default.
        create
            Make the store where there is none; else StoreError.

        Raises
        ------
        StoreError
            No store, and none can be made; or the file is something else.
        StoreDamagedError
            SQLite says the file is not sound; it is left untouched.
        """
        folder = folder_for(path, near)
        refuse_foreign_link(folder)
        folder = folder.resolve()
        database = folder / DATABASE_NAME
        created = not database.exists()
        if created:
            if not create:
                raise no_store(folder, path)
            make_store(database, network=is_network(folder))
        with readable_errors(database):
            return cls._opened(folder, database, created=created)

    @classmethod
    def _opened(cls, folder: Path, database: Path, *, created: bool) -> Store:
        version = VERSION if created else inspect(database)
        why = why_read_only(folder, database, version)
        if why is None and not created:
            prepare_folder(folder)
            if version < VERSION:
                from nbtrack.store.migrations import upgrade

                upgrade(database, network=is_network(folder), version=version)
                version = VERSION
            recover_if_possible(database)
        note_store(folder)
        return cls(folder, created=created, version=version, why_read_only=why)

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written here."""
        return self.why_read_only is not None

    @property
    def journal(self) -> Journal:
        """What runs of this process are logged through; started on first use.

        Never raises: a store that cannot be written gives a journal that warns once
        and counts what it drops.
        """
        journal = self._journal
        if journal is None or (journal.is_gone and not self.read_only):
            with self._lock:
                journal = self._journal = self._start_journal()
        return journal

    def _start_journal(self) -> Journal:
        if self.why_read_only is not None:
            return self._journal or read_only_journal(self.why_read_only)
        if self._session is not None and not self._database.exists():
            return self._session.journal  # deleted: it counts what it drops
        before = self._session
        self._session = join_session(self._database, network=self._network)
        if before is not None:
            leave_session(before)
        return self._session.journal

    # -- reading -----------------------------------------------------------------

    def runs(
        self,
        *,
        experiment: str | None = None,
        trashed: bool | None = False,
        ids: Sequence[str] | None = None,
    ) -> list[RunRecord]:
        """The runs, newest first, without their source; a dead one shows `crashed`.

        Parameters
        ----------
        experiment
            Only runs of this experiment.
        trashed
            False: those not trashed; True: only trashed ones; None: both.
        ids
            Only these runs.
        """
        with self._reading() as reader:
            return read_runs(
                reader, self.path / "journal", experiment=experiment, trashed=trashed,
                ids=ids,
            )  # fmt: skip

    def table(
        self,
        *,
        trashed: bool | None = False,
        ids: Sequence[str] | None = None,
        names: Collection[str] | None = None,
    ) -> Table:
        """The runs as columns, newest first or as `ids` are; a quarter of `runs`' time.

        With `names`, only the fields, params and metrics of these names.
        """
        from nbtrack.store.table import read_table

        with self._reading() as reader:
            journal = self.path / "journal"
            return read_table(reader, journal, trashed=trashed, ids=ids, names=names)

    def run(self, id_or_name: str) -> RunRecord:
        """The run with this id, name or start of an id; "last" is the newest.

        Raises RunNotFoundError with a hint, or with the candidates where several fit.
        """
        with self._reading() as reader:
            run_id = find_run_id(reader, id_or_name)
            found = read_runs(reader, self.path / "journal", trashed=None, ids=[run_id])
            source = read_source(reader, found[0].source_digest)
        return replace(found[0], source=source)

    def count_names(self, base: str) -> int:
        """How far runs named `base`, `base-2`, `base-3`... are numbered; 0 for none."""
        with self._reading() as reader:
            return last_of_name(reader, base)

    def notices(self, run_id: str) -> list[str]:
        """What was not captured of a run, as lines."""
        with self._reading() as reader:
            return read_notices(reader, run_id)

    def curve(self, run_id: str, metric: str) -> Curve:
        """The points of one metric, sorted by step; of equal steps the last stays.

        Raises MetricNotFoundError, naming what there is.
        """
        from nbtrack.store.curves import read_curve

        with self._reading() as reader:
            return read_curve(reader, run_id, metric)

    def tail(self, run_id: str, cursor: Cursor | None = None) -> Tail:
        """What is new in a run since `cursor`, for panels; cheap when nothing is.

        Pass None first, then the `cursor` of the tail before.
        """
        from nbtrack.store.curves import Tail, read_tail

        with self._reading() as reader:
            points, axes, new = read_tail(reader, self.path / "journal", run_id, cursor)
        return Tail(points, axes, new, new.run)

    def sql(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and rows of one statement that only reads.

        The view `points` has the points as rows: run, metric, axis_of, step, value, at.

        Raises StoreError for a statement that fails, writes, or takes too long.
        """
        from nbtrack.store.sql import prepare_for_queries, run_query

        with PROCESS.gate.inside(), self._lock, readable_errors(self._database):
            self._check_connections()
            if self._queries is None:
                self._queries = self._connect_reader()
                prepare_for_queries(self._queries)
            return run_query(self._queries, query)

    # -- writing -----------------------------------------------------------------

    def recover(self) -> None:
        """Take over what processes left that have died since this was opened."""
        if self.why_read_only is None:
            with PROCESS.gate.inside(), readable_errors(self._database):
                recover_if_possible(self._database)

    def control(self, run_id: str, command: str, *, by: str) -> None:
        """Tell a running run, in whatever process, to "stop" or to "checkpoint"."""
        from nbtrack.store.controls import send

        with self._writing() as database:
            send(database, run_id, command, by=by)

    def edit(self, *events: Mapping[str, Any]) -> None:
        """Apply events at once: rename, tag, note, trash a run of any process.

        All of them or none.

        Raises RunNotFoundError where there is no such run, StoreError where the event
        makes no sense or the store cannot be written now.
        """
        from nbtrack.store.events import apply_event

        with self._changing() as connection:
            try:
                for event in events:
                    apply_event(connection, event)
            except NbtrackError:
                raise
            except (KeyError, TypeError, ValueError, AttributeError) as exc:
                raise StoreError(f"The change cannot be made: {exc!r}.") from exc

    def edits(self) -> Edits:
        """Changes over many runs, as of a metric's name, that can be taken back."""
        from nbtrack.store.edits import Edits

        self._settle()
        return Edits(self.path / "journal", self._reading, self._writing)

    def purge(self, run_id: str) -> None:
        """Remove a run for good: rows, points, and files that no other run names."""
        from nbtrack.store.purge import purge_run

        self._settle()
        with self._connected() as database:
            purge_run(database, run_id)
        if self._journal is not None:
            self._journal.turn_over(JOURNAL_GOES_S)

    def merge(self, other: Path | str) -> MergeReport:
        """Take in all that another store has; see `nbtrack.merge`."""
        from nbtrack.store.merge.merging import merge

        self._settle()
        return merge(self, other)

    def close(self) -> None:
        """Commit what waits and let go; the last of a process ends its session."""
        with self._lock:
            if self._pid != os.getpid():
                return
            self._close_connections()
            session, self._session, self._journal = self._session, None, None
        if session is not None:
            leave_session(session)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    # -- inside ------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The reader's connection, in one snapshot."""
        with PROCESS.gate.inside(), self._lock, readable_errors(self._database):
            self._check_connections()
            if self._reader is None:
                self._reader = self._connect_reader()
            self._reader.execute("begin")
            try:
                yield self._reader
            finally:
                self._reader.execute("commit")

    def _connect_reader(self) -> Connection:
        return connect_reader(
            self._database, read_only=self.read_only, wait_s=self._wait_s
        )

    def _check_connections(self) -> None:
        """Drop connections that are the parent's, or to a file that is gone."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._reader = self._queries = None  # kept open by `PROCESS.forked`
        identity = identity_of(self._database)
        if identity is None:
            raise StoreError(f"The store {self.path} is gone.")
        if identity != self._identity:
            self._close_connections()
            self._identity = identity

    def _close_connections(self) -> None:
        for connection in (self._reader, self._queries):
            if connection is not None:
                connection.close()
        self._reader = self._queries = None

    @contextmanager
    def _connected(self) -> Iterator[Database]:
        """A writing connection for a moment."""
        if self.why_read_only is not None:
            refuse_too_new(self._version)
            raise StoreReadOnlyError(self.why_read_only)
        with PROCESS.gate.inside(), readable_errors(self._database):
            database = connect(
                self._database, network=self._network, wait_s=self._wait_s
            )
            try:
                yield database
            finally:
                database.close()

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        # Somebody waits for it, and files are removed on the strength of it: synced.
        with self._connected() as database, database.write(durable=True):
            yield database

    def _settle(self) -> None:
        """Have in the tables what this process logged a moment ago."""
        if self._journal is not None:
            self._journal.flush(1.0)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which everything that was logged before is there."""
        self._settle()
        with self._writing() as database:
            yield database.connection
