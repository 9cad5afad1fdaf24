"""Connections to the store's SQLite file, with the settings that keep it sound.

Every write goes through `Database.write()`: a lock file first (SQLite before 3.51.3
may corrupt a WAL when a checkpoint races a commit), then `begin immediate`. The file
is never opened but through SQLite: closing any other descriptor of it would drop
SQLite's own locks.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from nbtrack.errors import StoreDamagedError, StoreError, StoreTooNewError
from nbtrack.store.process import PROCESS
from nbtrack.store.schema import APPLICATION_ID, VERSION

BUSY_S = 5.0
WAL_CHECKPOINT_BYTES = 4 << 20
CHECKPOINT_EVERY_S = 1.0
WAL_LARGE_BYTES = 16 << 20  # then it is worth waiting for those who read
CHECKPOINT_WAIT_S = 0.2
LEFT_CHECK_S = 1.0  # some 100 MB; a larger store opens without having been looked at
WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)
_COMMON = """\
pragma foreign_keys = on;
pragma trusted_schema = off;
pragma cell_size_check = on;
pragma mmap_size = 0;
"""


class Connection(sqlite3.Connection):
    """A connection that the process knows of, so that a forked child spares it."""

    def __del__(self) -> None:
        # `nbtrack.open().runs()` is a fair line; Python 3.13 would warn of it.
        with suppress(sqlite3.Error):
            self.close()


class Database:
    """One connection and the ways to use it; belongs to one thread at a time."""

    def __init__(
        self,
        path: Path,
        connection: Connection,
        *,
        network: bool,
        wait_s: float = BUSY_S,
    ) -> None:
        self.path = path
        self.connection = connection
        self.wait_s = wait_s
        self.identity = identity_of(path)
        self._wal = not network
        self._checkpoint_at = 0.0
        self._synchronous = ""
        self._lock_path = path.with_name("write.lock")

    @contextmanager
    def write(
        self, *, durable: bool = False, wait_s: float | None = None
    ) -> Iterator[None]:
        """One transaction, alone among all processes; `durable` survives power loss."""
        execute = self.connection.execute
        with self.alone(wait_s):
            self._synchronise("full" if durable else "normal")
            execute("begin immediate")
            try:
                yield
                execute("commit")
            except BaseException:
                if self.connection.in_transaction:
                    execute("rollback")
                raise
            if self._wal and not WAL_IS_SAFE:
                self._checkpoint_if_large()

    def is_gone(self) -> bool:
        """Whether the file at the path is no longer the one that is open here."""
        return identity_of(self.path) != self.identity

    def close(self) -> None:
        """Close the connection; in a forked child, leave it alone."""
        self.connection.close()

    def _synchronise(self, how: str) -> None:
        # Said once: each statement hands the GIL over, and a busy loop keeps it 5 ms.
        if how != self._synchronous:
            self.connection.execute(f"pragma synchronous = {how}")
            self._synchronous = how

    def _checkpoint_if_large(self) -> None:
        now, size = time.monotonic(), wal_bytes(self.path)
        if now < self._checkpoint_at or size < WAL_CHECKPOINT_BYTES:
            return
        # Truncated, so that its size tells how full it is. Readers are not waited for
        # while it is small: where one is in the way, a later commit tries again. Three
        # panels that poll are always in the way, and it would grow without an end.
        is_large = size >= WAL_LARGE_BYTES
        self.connection.execute(_busy_timeout(CHECKPOINT_WAIT_S if is_large else 0.0))
        try:
            # Of this file alone: one that is attached for reading could not be.
            asked = self.connection.execute("pragma main.wal_checkpoint(truncate)")
            [(was_busy, *_)] = asked.fetchall()
            if was_busy or not is_large:
                self._checkpoint_at = now + CHECKPOINT_EVERY_S
        finally:
            self.connection.execute(_busy_timeout(self.wait_s))

    @contextmanager
    def alone(self, wait_s: float | None = None) -> Iterator[None]:
        """Hold the lock file: around what writes outside a `write` transaction."""
        if WAL_IS_SAFE:
            yield
            return
        handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _flock(handle, self.wait_s if wait_s is None else wait_s)
            yield
        finally:
            # Unlocked by name: a child forked meanwhile holds a copy of the descriptor.
            fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)


def connect(path: Path, *, network: bool = False, wait_s: float = BUSY_S) -> Database:
    """Open for writing; the file must exist and be a store of this version."""
    connection = _open(path, "mode=rw", wait_s)
    connection.executescript(_COMMON)
    connection.execute(_busy_timeout(wait_s))
    mode = "truncate" if network else "wal"
    if connection.execute("pragma journal_mode").fetchone()[0] != mode:
        connection.execute(f"pragma journal_mode = {mode}")
    connection.execute("pragma journal_size_limit = 67108864")
    if not WAL_IS_SAFE:
        connection.execute("pragma wal_autocheckpoint = 0")
    return Database(path, connection, network=network, wait_s=wait_s)


def connect_reader(
    path: Path, *, read_only: bool = False, wait_s: float = BUSY_S
) -> Connection:
    """Open for reading only; on a read-only folder the file is taken as it stands."""
    if not read_only:
        return _settle_reader(_open(path, "mode=rw", wait_s))
    connection = _open(path, "mode=ro", wait_s)
    try:
        connection.execute("select 1 from sqlite_master").fetchall()
    except sqlite3.OperationalError as exc:
        connection.close()
        if is_busy(exc):
            raise  # one that is being written must not be read as if it stood still
        # A WAL file cannot be read where its -shm cannot be made, but as a frozen file.
        connection = _open(path, "mode=ro&immutable=1", wait_s)
    return _settle_reader(connection)


def connect_untouched(path: Path) -> Connection:
    """Open somebody's store for reading, and make no file beside it.

    SQLite would make the two files of a write-ahead log, were it not told that nobody
    writes; where they are there, somebody may, and their locks are asked.
    """
    beside = [Path(f"{path}{suffix}") for suffix in ("-wal", "-shm", "-journal")]
    if any(file.exists() for file in beside):
        return connect_reader(path, read_only=True)
    return _settle_reader(_open(path, "mode=ro&immutable=1"))


def inspect(path: Path, *, wait_s: float = BUSY_S) -> int:
    """The store's version, after checking that the file is a store at all.

    Raises StoreDamagedError or StoreError, and never writes to the file.
    """
    if path.stat().st_size == 0:
        raise StoreDamagedError(f"{path} is empty. {_way_out(path)}")
    is_left = wal_bytes(path) > 0 and not _is_open_somewhere(path)
    connection = connect_reader(path, read_only=True, wait_s=wait_s)
    try:
        application = connection.execute("pragma application_id").fetchone()[0]
        version = int(connection.execute("pragma user_version").fetchone()[0])
        connection.execute("select name from sqlite_master").fetchall()
        wrong = _wrong_with(connection) if is_left else None
    except sqlite3.DatabaseError as exc:
        if is_busy(exc):
            raise store_error(path, exc) from exc
        raise StoreDamagedError(f"{path} is damaged: {exc}. {_way_out(path)}") from exc
    finally:
        connection.close()
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not an nbtrack store. {_way_out(path)}")
    if wrong is not None:
        raise StoreDamagedError(
            f"{path} is damaged, or {path.name}-wal belongs to another database: "
            f"{wrong}. {_way_out(path)}"
        )
    return version


def _is_open_somewhere(path: Path) -> bool:
    """Whether a connection is open to it, whose locks are on the log's index."""
    from nbtrack.store.held import holders  # only a log that was left is asked about

    return bool(holders([Path(f"{path}-shm")], kinds=("READ", "WRITE")))


def _wrong_with(connection: sqlite3.Connection) -> str | None:
    """What is wrong with a database and the log that a crash, or a copy, left with it.

    SQLite takes any log for its own, and writes it into the database when it closes.
    """
    deadline = time.monotonic() + LEFT_CHECK_S
    connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)
    try:
        # Not the quick one: pages of two stores may fit together, but for the indexes.
        [found] = connection.execute("pragma integrity_check(1)").fetchone()
    except sqlite3.OperationalError as exc:
        if code_of(exc) != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        connection.set_progress_handler(None, 0)
    return None if found == "ok" else str(found)


def why_read_only(folder: Path, database: Path, version: int) -> str | None:
    """Why the store can only be read, where that is so."""
    if version > VERSION:
        return too_new(version)
    if not os.access(folder, os.W_OK) or not os.access(database, os.W_OK):
        return (
            f"The store {folder} cannot be written: it is open for reading only. "
            "Set NBTRACK_STORE to a folder that can be written."
        )
    return None


def too_new(version: int) -> str:
    """Say that a store comes from a newer nbtrack."""
    return (
        f"The store has version {version}, this nbtrack knows {VERSION}: it is open "
        "for reading only. Upgrade nbtrack to write to it."
    )


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, each naming the way out."""
    try:
        yield
    except sqlite3.Error as exc:
        raise store_error(path, exc) from exc


def store_error(path: Path, exc: sqlite3.Error) -> StoreError:
    """The store's error for one of SQLite's."""
    if code_of(exc) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamagedError(f"{path} is damaged: {exc}. {_way_out(path)}")
    if is_busy(exc):
        return StoreError(
            f"{path} is locked by another process: try again in a moment."
        )
    if code_of(exc) == sqlite3.SQLITE_INTERRUPT:
        return StoreError(f"{path}: the answer took too long, and was given up.")
    return StoreError(f"{path}: {exc}")


def refuse_too_new(version: int) -> None:
    """Raise where a write is asked of a store of a newer version."""
    if version > VERSION:
        raise StoreTooNewError(too_new(version))


def is_busy(exc: sqlite3.Error) -> bool:
    """Whether another process holds the file, and later may be soon enough."""
    return code_of(exc) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def code_of(exc: sqlite3.Error) -> int:
    """SQLite's primary error code, 0 where the error has none."""
    return (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF


def wal_bytes(path: Path) -> int:
    """The size of the write-ahead log, 0 where there is none."""
    try:
        return os.stat(f"{path}-wal").st_size
    except OSError:
        return 0


def identity_of(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file, None where it is gone."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino


def _busy_timeout(wait_s: float) -> str:
    return f"pragma busy_timeout = {int(wait_s * 1000)}"


def _open(path: Path, how: str, wait_s: float = BUSY_S) -> Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{how}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=wait_s,
        factory=Connection,
    )
    PROCESS.adopt(connection)
    return connection


def _settle_reader(connection: Connection) -> Connection:
    connection.executescript(_COMMON)
    connection.execute("pragma query_only = on")
    return connection


def _flock(handle: int, wait_s: float) -> None:
    # Polled, not waited for: a stopped holder must not hang the caller for good.
    deadline, pause = time.monotonic() + wait_s, 0.0003
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise _busy() from None
            time.sleep(pause)
            pause = min(pause * 1.1, 0.01)
        else:
            return


def _busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def _way_out(path: Path) -> str:
    return (
        "It was left untouched. `nbtrack salvage -o DIR` writes what can be read of it "
        f"as a new store; move it away (mv {path.name} {path.name}.old) to start anew."
    )
