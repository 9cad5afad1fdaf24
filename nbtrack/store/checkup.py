"""What can be wrong with a store, looked at without changing it.

Each function answers one question about a folder. Nothing here takes over a journal,
brings a store up to date, or removes anything; `nbtrack.analysis.doctor` words what is
found, and has the ways out.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store import file_index
from nbtrack.store.blobs import blob_path
from nbtrack.store.database import (
    Database,
    connect,
    connect_reader,
    inspect,
    is_busy,
    readable_errors,
)
from nbtrack.store.held import holders
from nbtrack.store.liveness import is_alive
from nbtrack.store.locate import DATABASE_NAME
from nbtrack.store.mounts import is_network
from nbtrack.store.packs import pack_path

PROBE_S = 1.5  # a writer has the lock for milliseconds, time and again
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Rows:
    """What the tables say of runs and events that want looking after."""

    n_runs: int
    dead_runs: tuple[str, ...]  # names; they look running, their process is gone
    n_unread: int
    unread_reasons: tuple[str, ...]
    n_notices: int
    notices: tuple[str, ...]  # the newest
    missing_files: tuple[str, ...]  # "mlp:v3", named and not in the folder


def version_of(folder: Path) -> int:
    """The version of the store; StoreError where the file is none, or damaged."""
    database = folder / DATABASE_NAME
    with readable_errors(database):
        return inspect(database)


def quick_check(database: Path) -> str | None:
    """What SQLite finds wrong with the file; None where it is sound."""
    with (
        readable_errors(database),
        closing(connect_reader(database, read_only=True)) as reader,
    ):
        [first] = reader.execute("pragma quick_check(1)").fetchone()
    return None if first == "ok" else " ".join(str(first).split())


def look_at_rows(folder: Path) -> Rows:
    """Read what there is to say, in one look."""
    database = folder / DATABASE_NAME
    with (
        readable_errors(database),
        closing(connect_reader(database, read_only=True)) as reader,
    ):
        execute = reader.execute
        [n_runs] = execute("select count(*) from runs").fetchone()
        running = execute(
            "select name, session from runs where status = 'running'"
        ).fetchall()
        [n_unread] = execute("select count(*) from unread").fetchone()
        reasons = execute("select reason from unread group by reason order by max(id)")
        unread = tuple(reason for (reason,) in reasons)
        [n_notices] = execute("select count(*) from notices").fetchone()
        newest = execute("select text from notices order by id desc limit 3")
        notices = tuple(text for (text,) in newest)
        missing = tuple(_missing(reader, folder))
    journal = folder / "journal"
    dead = [
        name
        for name, session in running
        if session is None or not is_alive(journal / session)
    ]
    return Rows(n_runs, tuple(dead), n_unread, unread[-3:], n_notices, notices, missing)


def dead_journals(folder: Path) -> list[Path]:
    """The journals of processes that are gone, which nobody has taken over."""
    return [path for path in _sessions(folder) if not is_alive(path)]


def living_journals(folder: Path) -> list[Path]:
    """The journals of processes that are at work."""
    return [path for path in _sessions(folder) if is_alive(path)]


def is_locked(folder: Path) -> bool:
    """Whether nobody can write now: a transaction is begun, and taken back."""
    try:
        with closing(_connected(folder)) as database, database.alone(PROBE_S):
            database.connection.execute("begin immediate")
            database.connection.execute("rollback")
    except sqlite3.OperationalError as exc:
        if is_busy(exc):
            return True
        raise
    return False


def lock_holders(folder: Path) -> list[int]:
    """The processes that hold a lock on the store's files, by the kernel's own list.

    Empty where it cannot be read, or they are of another machine or container.
    """
    database = str(folder / DATABASE_NAME)
    paths = [Path(f"{database}{ending}") for ending in ("", "-wal", "-shm")]
    return sorted(holders([*paths, folder / "write.lock"]) - {os.getpid(), -1})


def command_of(pid: int) -> str:
    """How a process was started; "" where that is not ours to know."""
    with suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        return line.replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return ""


def open_to_others(folder: Path) -> list[Path]:
    """Files and folders of the store that others can read or write."""
    return [
        path
        for path, info in _entries(folder)
        if info.st_mode & _OTHERS and not stat.S_ISLNK(info.st_mode)
    ]


def close_to_others(folder: Path) -> int:
    """Take all rights of others away; how many files and folders had some."""
    found = open_to_others(folder)
    for path in found:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~_OTHERS)
    return len(found)


def of_somebody_else(folder: Path) -> list[Path]:
    """Files and folders of the store that belong to another user."""
    return [path for path, info in _entries(folder) if info.st_uid != os.getuid()]


def put_log_away(folder: Path) -> None:
    """Write what stands in the write-ahead log into the database, and empty the log."""
    try:
        with closing(_connected(folder)) as database, database.alone():
            database.connection.execute("pragma main.wal_checkpoint(truncate)")
    except sqlite3.OperationalError as exc:
        raise StoreError(f"The log of {folder} is in use: {exc}.") from exc


def _connected(folder: Path) -> Database:
    database = folder / DATABASE_NAME
    return connect(database, network=is_network(folder), wait_s=PROBE_S)


def _missing(reader: sqlite3.Connection, folder: Path) -> Iterator[str]:
    """Versions of which a file, or a pack with a chunk of one, is not in the folder."""
    rows = reader.execute(
        """
        select artifacts.name || ':v' || versions.version, files.digest
        from artifact_files as files
        join artifact_versions as versions on versions.id = files.version
        join artifacts on artifacts.id = versions.artifact
        where versions.gone_at is null and files.digest is not null
          and files.uri is null
        """
    ).fetchall()
    blobs = folder / "blobs"
    listed = {file.digest: file.chunks for file in file_index.all_files(reader)}
    packs = {place.pack for _, place in file_index.all_chunks(reader)}
    gone = {pack for pack in packs if not pack_path(blobs, pack).is_file()}
    yield from dict.fromkeys(
        ref
        for ref, digest in rows
        if not blob_path(blobs, digest).is_file()
        and (digest not in listed or _has_gone(reader, listed[digest], gone))
    )


def _has_gone(reader: sqlite3.Connection, chunks: bytes, gone: set[str]) -> bool:
    if not gone:
        return False
    places = file_index.find_places(reader, chunks)
    return any(place.pack in gone for place in places.values())


def _sessions(folder: Path) -> list[Path]:
    with suppress(OSError):
        names = sorted(entry.name for entry in os.scandir(folder / "journal"))
        return [folder / "journal" / name for name in names if name[:1] != "."]
    return []


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with suppress(OSError):
        yield folder, folder.lstat()
    for here, folders, names in os.walk(folder):
        for name in (*folders, *names):
            with suppress(OSError):
                path = Path(here, name)
                yield path, path.lstat()
