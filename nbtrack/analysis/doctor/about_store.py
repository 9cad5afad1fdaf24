"""The store itself: which one it is, its database, who holds it, what was left."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from nbtrack.analysis.doctor.report import Check
from nbtrack.errors import StoreError
from nbtrack.store import checkup
from nbtrack.store.database import (
    WAL_IS_SAFE,
    too_new,
    wal_bytes,
    why_read_only,
)
from nbtrack.store.locate import DATABASE_NAME, nearest_store, refuse_foreign_link
from nbtrack.store.mounts import is_network
from nbtrack.store.schema import VERSION
from nbtrack.text import shorten, shown_bytes

WAL_LARGE_BYTES = 64 << 20
_SALVAGE = "nbtrack salvage -o DIR writes what can be read of it as a new store"
_NAMED_MAX = 3


def which(folder: Path, *, is_given: bool) -> Check:
    """Which store applies here, and why."""
    named = os.environ.get("NBTRACK_STORE")
    if is_given:
        why = "it was named"
    elif named:
        why = f"NBTRACK_STORE={named}"
    else:
        why = f"the nearest upward from {Path.cwd()}"
    if not (folder / DATABASE_NAME).exists():
        what = f"there is none at {folder} ({why})"
        return Check("store", "warn", what, "the first run makes one there")
    try:
        refuse_foreign_link(folder)
    except StoreError as exc:
        return Check("store", "bad", str(exc))
    return Check("store", "ok", f"{folder} ({why}){_hidden(folder, named)}")


def _hidden(folder: Path, named: str | None) -> str:
    """Another store that one might expect to be meant."""
    if not named:
        return ""
    nearest = nearest_store()
    if nearest is None or nearest.resolve() == folder.resolve():
        return ""
    return f"; the nearest would be {nearest}"


def database(folder: Path) -> Check:
    """Whether it opens and SQLite finds it sound."""
    path = folder / DATABASE_NAME
    try:
        checkup.version_of(folder)
        wrong = checkup.quick_check(path)
    except StoreError as exc:
        return Check("database", "bad", str(exc), _SALVAGE)
    if wrong is not None:
        return Check("database", "bad", f"{path} is damaged: {wrong}", _SALVAGE)
    return Check("database", "ok", f"sound, {shown_bytes(path.stat().st_size)}")


def version(folder: Path) -> Check:
    """Whether this nbtrack and the store are of the same version."""
    found = checkup.version_of(folder)
    if found > VERSION:
        return Check("version", "warn", too_new(found), "pip install --upgrade nbtrack")
    if found < VERSION:
        what = f"the store has version {found}, this nbtrack {VERSION}"
        way_out = "opening it to write brings it up to date"
        return Check("version", "warn", what, way_out, fixable=True)
    return Check("version", "ok", f"version {VERSION} of the store")


def log(folder: Path) -> Check:
    """How large the write-ahead log is, and whether somebody uses it."""
    n_bytes = wal_bytes(folder / DATABASE_NAME)
    if not n_bytes:
        return Check("log", "ok", "no write-ahead log waits")
    living = checkup.living_journals(folder)
    what = f"{shown_bytes(n_bytes)} in nbtrack.db-wal"
    if n_bytes > WAL_LARGE_BYTES:
        way_out = "a reader that never ends keeps it: close panels and kernels"
        return Check("log", "warn", what, way_out, fixable=True)
    if living:
        return Check("log", "ok", f"{what}, in use by {len(living)} processes")
    return Check("log", "ok", f"{what}: part of the database; never remove it alone")


def lock(folder: Path) -> Check:
    """Whether somebody keeps others from writing, and who."""
    if why_read_only(folder, folder / DATABASE_NAME, VERSION) is not None:
        return Check("lock", "ok", "not asked: it is read-only")
    if not checkup.is_locked(folder):
        n = len(checkup.living_journals(folder))
        return Check("lock", "ok", f"free to write; {n} processes are at work")
    holders = checkup.lock_holders(folder)
    named = [
        f"{pid} ({shorten(checkup.command_of(pid) or 'not yours', 80)})"
        for pid in holders[:_NAMED_MAX]
    ]
    who = f"by process {', '.join(named)}" if named else "by a process not seen here"
    way_out = "points wait in the journal; continue or end that process"
    return Check("lock", "bad", f"locked {who}", way_out)


def mount(folder: Path) -> Check:
    """Whether it lies where SQLite's quick ways are not safe."""
    if is_network(folder):
        what = "on a network or FUSE mount: without write-ahead log and shared memory"
        way_out = (
            "slower, and sound; NBTRACK_STORE on a local disk and `nbtrack push` or "
            "`backup` are quicker"
        )
        return Check("mount", "warn", what, way_out)
    return Check("mount", "ok", "on a local disk")


def writable(folder: Path) -> Check:
    """Whether it can be written."""
    why = why_read_only(folder, folder / DATABASE_NAME, VERSION)
    if why is None:
        return Check("writable", "ok", "yes")
    way_out = "its owner gives you the right, or NBTRACK_STORE names another folder"
    return Check("writable", "warn", why, way_out)


def journals(folder: Path) -> Check:
    """What dead processes logged that nobody has taken over."""
    dead = checkup.dead_journals(folder)
    if not dead:
        return Check("journals", "ok", "no dead process has left one")
    n_bytes = sum(file.stat().st_size for path in dead for file in path.glob("*.seg"))
    what = f"{len(dead)} of dead processes wait, {shown_bytes(n_bytes)}"
    way_out = "whoever opens the store next takes them over"
    return Check("journals", "warn", what, way_out, fixable=True)


def running(rows: checkup.Rows) -> Check:
    """Runs that look running and whose process is gone."""
    if not rows.dead_runs:
        return Check("runs", "ok", f"{rows.n_runs:,}; none looks running and is not")
    named = ", ".join(shorten(name, 40) for name in rows.dead_runs[:_NAMED_MAX])
    what = f"{len(rows.dead_runs)} look running, but their process is gone: {named}"
    return Check("runs", "warn", what, "they become `crashed`", fixable=True)


def events(rows: checkup.Rows) -> Check:
    """Events that made no sense and were put aside."""
    if not rows.n_unread:
        return Check("events", "ok", "none was put aside")
    what = f"{rows.n_unread:,} could not be read: {shorten(rows.unread_reasons[-1])}"
    way_out = "nothing is lost: they wait in the table `unread`; please report it"
    return Check("events", "warn", what, way_out)


def notices(rows: checkup.Rows) -> Check:
    """What was not captured of runs."""
    if not rows.n_notices:
        return Check("notices", "ok", "none")
    newest = shorten(" ".join(rows.notices[0].split()), 100)
    return Check("notices", "ok", f"{rows.n_notices:,}, the newest: {newest}")


def sqlite(_: Path) -> Check:
    """Which SQLite it is, and what of it has to be worked around."""
    said = f"SQLite {sqlite3.sqlite_version}"
    if WAL_IS_SAFE:
        return Check("sqlite", "ok", said)
    what = f"{said} has the bug of checkpoints (mended in 3.51.3); nbtrack's own lock"
    return Check("sqlite", "ok", f"{what} keeps it away; write with nothing else")
