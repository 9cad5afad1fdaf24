"""The folder on the disk: rights, room, who takes it, files that are missing."""

from __future__ import annotations

import shutil
from pathlib import Path

from nbtrack.analysis.disk_use import disk_use
from nbtrack.analysis.doctor.report import Check
from nbtrack.store import Store, checkup
from nbtrack.text import shorten, shown_bytes

LITTLE_BYTES = 1 << 30
VERY_LITTLE_BYTES = 64 << 20  # a checkpoint more, and it is full
_NAMED_MAX = 3


def rights(folder: Path) -> Check:
    """Whether it is yours alone."""
    foreign = checkup.of_somebody_else(folder)
    if foreign:
        what = f"{len(foreign)} files belong to another user: {_named(foreign, folder)}"
        return Check("rights", "warn", what, f"sudo chown -R $USER {folder}")
    found = checkup.open_to_others(folder)
    if not found:
        return Check("rights", "ok", "yours alone (0600, 0700)")
    what = f"others may look at {len(found)} of its files: {_named(found, folder)}"
    return Check("rights", "warn", what, f"chmod -R go= {folder}", fixable=True)


def room(folder: Path) -> Check:
    """Whether the disk has room."""
    left = shutil.disk_usage(folder).free
    what = f"{shown_bytes(left)} left"
    way_out = "nbtrack gc --dry-run says what would go; nbtrack du who takes it"
    if left < VERY_LITTLE_BYTES:
        return Check("room", "bad", what, way_out)
    return Check("room", "warn" if left < LITTLE_BYTES else "ok", what,
                 way_out if left < LITTLE_BYTES else "")  # fmt: skip


def takers(store: Store) -> Check:
    """What takes most of the store."""
    rows = disk_use(store, "artifact")
    total = sum(n_bytes for *_, n_bytes in rows)
    largest = ", ".join(
        f"{shorten(name or kind, 40)} {shown_bytes(n_bytes)}"
        for kind, name, _, n_bytes in rows[:_NAMED_MAX]
    )
    return Check("size", "ok", f"{shown_bytes(total)}: {largest}")


def files(rows: checkup.Rows) -> Check:
    """Whether the files that are named are there; not yet, whether they are whole."""
    if not rows.missing_files:
        return Check("files", "ok", "all are there (--deep reads them)")
    named = ", ".join(rows.missing_files[:_NAMED_MAX])
    what = f"{len(rows.missing_files)} versions lack files: {shorten(named, 120)}"
    return Check("files", "bad", what, "nbtrack pull or a backup may have them")


def contents(store: Store) -> Check:
    """Whether each byte of the files is as it was kept."""
    from nbtrack.tracking.artifacts.verifying import verify_versions

    found = verify_versions(store, store.artifact_versions(gone=False))
    if found.ok:
        return Check("contents", "ok", repr(found))
    first = str(found.problems[0])
    what = f"{len(found.problems)} files are damaged or missing: {first}"
    return Check("contents", "bad", what, "nbtrack verify names all of them")


def _named(paths: list[Path], folder: Path) -> str:
    names = [str(path.relative_to(folder)) for path in paths[:_NAMED_MAX]]
    return shorten(", ".join(names), 120)
