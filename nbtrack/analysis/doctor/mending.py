"""What a doctor puts right without asking: nothing that anybody could miss."""

from __future__ import annotations

from pathlib import Path

from nbtrack.analysis.doctor.about_store import WAL_LARGE_BYTES
from nbtrack.errors import StoreError
from nbtrack.store import Store, checkup
from nbtrack.store.database import wal_bytes, why_read_only
from nbtrack.store.locate import DATABASE_NAME
from nbtrack.store.schema import VERSION


def mend(folder: Path) -> tuple[str, ...]:
    """Put right what can be, and say what that was.

    Rights of others go; a store of an older version is brought up to date; what dead
    processes left is taken over, and their runs become `crashed`; a large log that
    nobody reads is written into the database. A damaged store is left alone.
    """
    fixed = []
    n = checkup.close_to_others(folder) if _is_own(folder) else 0
    if n:
        fixed.append(f"{n} files and folders are yours alone now")
    if _can_be_written(folder):
        fixed += _open_and_recover(folder)
        fixed += _shorten_log(folder)
    return tuple(fixed)


def _is_own(folder: Path) -> bool:
    return folder.is_dir() and not checkup.of_somebody_else(folder)


def _can_be_written(folder: Path) -> bool:
    database = folder / DATABASE_NAME
    if not database.exists():
        return False
    try:
        version = checkup.version_of(folder)
        is_sound = checkup.quick_check(database) is None
    except StoreError:
        return False
    return is_sound and why_read_only(folder, database, version) is None


def _open_and_recover(folder: Path) -> list[str]:
    """Opening a store is what takes journals over and brings it up to date."""
    version = checkup.version_of(folder)
    n_dead = len(checkup.dead_journals(folder))
    before = checkup.look_at_rows(folder) if version == VERSION else None
    with Store.open(folder, create=False):
        pass
    fixed = []
    if version < VERSION:
        fixed.append(f"the store has version {VERSION} now, it had {version}")
    if n_dead > len(checkup.dead_journals(folder)):
        fixed.append(f"{n_dead} journals of dead processes were taken over")
    if before is not None and before.dead_runs:
        n_runs = len(before.dead_runs) - len(checkup.look_at_rows(folder).dead_runs)
        fixed.append(f"{n_runs} runs whose process is gone are no longer running")
    return fixed


def _shorten_log(folder: Path) -> list[str]:
    before = wal_bytes(folder / DATABASE_NAME)
    if before <= WAL_LARGE_BYTES or checkup.living_journals(folder):
        return []
    checkup.put_log_away(folder)
    is_done = wal_bytes(folder / DATABASE_NAME) < before
    return ["the log was written into the database"] if is_done else []
