"""Another store as a merge reads it: a copy of its database, its files where they lie.

The other store is never changed: its database is copied as one snapshot, whatever
version it has and whoever writes to it now, and the copy is brought to today's tables
and takes over what dead processes left. Runs that go on there are told, not taken.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nbtrack.errors import StoreDamagedError, StoreError, StoreTooNewError
from nbtrack.store.database import (
    Connection,
    connect_reader,
    connect_untouched,
    readable_errors,
    too_new,
)
from nbtrack.store.file_reads import FileReads
from nbtrack.store.forks import prefix
from nbtrack.store.liveness import is_alive
from nbtrack.store.locate import (
    DATABASE_NAME,
    prepare_folder,
    refuse_foreign_link,
    store_folder,
)
from nbtrack.store.process import PROCESS
from nbtrack.store.schema import APPLICATION_ID, VERSION
from nbtrack.store.session import Session

if TYPE_CHECKING:
    from nbtrack.store.store import Store

FLUSH_S = 5.0
_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")  # becomes part of a path


@dataclass(frozen=True, slots=True)
class OtherStore:
    """What a merge takes from."""

    folder: Path
    copy: Store  # of its database
    running: frozenset[str]  # runs that go on there

    @property
    def database(self) -> Path:
        """The copy of the database."""
        return self.copy.path / DATABASE_NAME

    @property
    def files(self) -> FileReads:
        """Its files, in their place; none is ever written there."""
        return FileReads(self.folder, self.copy._reading)


@contextmanager
def other_store(path: Path | str) -> Iterator[OtherStore]:
    """The store at a path, for as long as a merge takes.

    Raises
    ------
    StoreError
        Where there is none, or the file is something else, damaged, or too new.
    """
    from nbtrack.store.store import Store

    folder = store_folder(Path(path).expanduser())
    refuse_foreign_link(folder)
    folder = folder.resolve()
    database = folder / DATABASE_NAME
    if not database.is_file():
        raise StoreError(f"There is no store at {folder}.")
    with TemporaryDirectory(prefix="nbtrack-merge-") as temporary:
        here = Path(temporary) / ".nbtrack"
        prepare_folder(here)
        with readable_errors(database):
            running = _copy(database, here / DATABASE_NAME)
        _copy_journals(folder / "journal", here / "journal")
        with Store.open(here, create=False) as copy:
            _unshare(copy)
            yield OtherStore(folder, copy, running)


def is_safe_id(id_: object) -> bool:
    """Whether the id of a run or session may stand in the name of a file.

    >>> is_safe_id("06avvsg7n6e69"), is_safe_id("../../etc"), is_safe_id(None)
    (True, False, False)
    """
    return isinstance(id_, str) and _SAFE_ID.fullmatch(id_) is not None


def _copy(database: Path, target: Path) -> frozenset[str]:
    """Copy it in one snapshot; the ids of the runs that go on there."""
    session = PROCESS.journals.get(str(database))
    if isinstance(session, Session):
        session.journal.flush(FLUSH_S)  # this very process logs there
    if database.stat().st_size == 0:
        raise StoreDamagedError(f"{database} is empty: there is nothing to merge.")
    before = _state_of(database)
    _back_up(database, target, connect_untouched(database))
    if _state_of(database) != before:
        # Somebody began to write: once more, with the locks that tell them.
        _back_up(database, target, connect_reader(database, read_only=True))
    target.chmod(0o600)
    with closing(sqlite3.connect(target)) as copy:
        rows = copy.execute(
            "select id, session from runs where status = 'running'"
        ).fetchall()
    journal = database.parent / "journal"
    return frozenset(
        run for run, own in rows if is_safe_id(own) and is_alive(journal / own)
    )


def _back_up(database: Path, target: Path, source: Connection) -> None:
    with closing(source), closing(sqlite3.connect(target)) as copy:
        _check(database, source)
        source.backup(copy)


def _state_of(database: Path) -> tuple[int, int]:
    info = database.stat()
    return info.st_mtime_ns, info.st_size


def _check(database: Path, source: Connection) -> None:
    if source.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError(f"{database} is not an nbtrack store.")
    version = int(source.execute("pragma user_version").fetchone()[0])
    if version > VERSION:
        raise StoreTooNewError(f"{database}: {too_new(version)}")


def _copy_journals(journal: Path, target: Path) -> None:
    """What dead processes left; who lives has its runs left out anyway."""
    if not journal.is_dir():
        return
    for folder in sorted(journal.iterdir()):
        if folder.is_dir() and is_safe_id(folder.name) and not is_alive(folder):
            shutil.copytree(folder, target / folder.name, symlinks=True)


def _unshare(copy: Store) -> None:
    """Give forks their own points: metrics of their parents get other ids here."""
    from nbtrack.store.chunks import pack

    with copy._writing() as database:
        connection = database.connection
        rows = connection.execute(
            "select id from metrics where shared_from is not null"
        ).fetchall()
        shared = [(metric, prefix(connection, metric)) for (metric,) in rows]
        for metric, points in shared:
            if len(points.values):
                connection.execute(
                    "insert into chunks(metric, start, n, body) values (?, 0, ?, ?)",
                    (metric, len(points.values), pack(points)),
                )
        connection.execute("update metrics set shared_from = null")
