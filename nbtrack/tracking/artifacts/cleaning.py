"""`nbtrack.artifacts.gc`: frees what is expired, garbage, or a copy for a reader.

A dry run says the bytes, and the same bytes go then. A version that is registered as a
model, has an alias of yours or is `best` is never touched, expired or not. What was
kept within the last hour stays: its version may be on its way.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbtrack.errors import StoreError
from nbtrack.text import shorten, shown_bytes, visible

if TYPE_CHECKING:
    from nbtrack.records import ArtifactRecord
    from nbtrack.store import Store

YOUNG_S = 3600.0
_N_NAMED = 10


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was freed, or would be.

    `n_bytes` is what `blobs/` and `cache/` lose, as the file sizes show it; `by_kind`
    splits it into expired versions, garbage and cached copies. `expired` are the
    versions that were given up, `spared` those that have expired and stay, with why.
    """

    dry_run: bool
    n_bytes: int
    by_kind: Mapping[str, int]
    expired: tuple[str, ...] = ()
    spared: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        verb = "would be freed" if self.dry_run else "freed"
        lines = [f"{shown_bytes(self.n_bytes)} {verb} ({self.n_bytes:,} bytes)"]
        lines += [f"  {kind}: {n:,} bytes" for kind, n in self.by_kind.items()]
        if self.expired:
            lines.append(f"  expired: {_listed(self.expired)}")
        for ref, why in list((self.spared or {}).items())[:_N_NAMED]:
            lines.append(f"  {visible(ref)} has expired and stays: {visible(why)}")
        return "\n".join(lines)


def gc(
    dry_run: bool = False,
    keep: Iterable[str] | str | None = None,
    *,
    store: Store | None = None,
) -> Cleaned:
    """Free the bytes of expired versions, of garbage and of cached copies.

    Garbage is what no version and no rich value names: files of versions that were
    pruned or deleted, what a save that was cut off has left.

    Parameters
    ----------
    dry_run : bool
        Only say what would go; then the same bytes go.
    keep : str or list of str, optional
        Versions to spare though they have expired: `mlp:v3`, or a pattern, `mlp:*`.

    Returns
    -------
    Cleaned
        `.n_bytes`, `.by_kind`, `.expired`, `.spared`.

    Examples
    --------
    >>> gc(dry_run=True).n_bytes
    0
    """
    from nbtrack.tracking.settled import settled

    patterns = [keep] if isinstance(keep, str) else list(keep or ())
    return clean(settled(store), dry_run=dry_run, keep=patterns)


def clean(
    store: Store,
    *,
    dry_run: bool,
    keep: Iterable[str] = (),
    older_than_s: float = YOUNG_S,
) -> Cleaned:
    """See `gc`; `older_than_s` is how old garbage must be."""
    if store.why_read_only is not None:
        raise StoreError(store.why_read_only)
    expired, spared = _expired(store, tuple(keep))
    ids = [version.id for version in expired]
    cached = _old_copies(store, older_than_s)
    as_it_is = store.free_files(dry_run=True, older_than_s=older_than_s).n_bytes
    in_cache = _single_copies(store, older_than_s)
    if dry_run:
        counted = store.free_files(
            dry_run=True, older_than_s=older_than_s, without=ids
        ).n_bytes
        copies = sum(map(_size_of, cached))
    else:
        given = store.give_up(ids, why="expired", by="gc")
        expired = [
            version for version in expired if version.id in {g.id for g in given}
        ]
        counted = store.free_files(older_than_s=older_than_s).n_bytes
        copies = sum(map(_remove, cached))
    by_kind = {
        "expired versions": max(0, counted - as_it_is),
        "garbage": min(counted, as_it_is) - in_cache,
        "cached copies": in_cache + copies,
    }
    refs = tuple(version.ref for version in expired)
    return Cleaned(dry_run, counted + copies, by_kind, refs, spared)


def _expired(
    store: Store, keep: tuple[str, ...]
) -> tuple[list[ArtifactRecord], dict[str, str]]:
    """Which versions have had their time, and which of these stay, with why."""
    from fnmatch import fnmatchcase

    from nbtrack.store.values import utc_text

    now = utc_text(time.time())
    due = [
        version
        for version in store.artifact_versions(gone=False)
        if version.expires_at is not None and version.expires_at <= now
    ]
    if not due:
        return [], {}
    reasons = store.protected_versions([version.id for version in due], why="expired")
    for version in due:
        if "best" in version.aliases:
            reasons.setdefault(version.id, "it has the alias 'best'")
        if any(fnmatchcase(version.ref, pattern) for pattern in keep):
            reasons.setdefault(version.id, "you asked to keep it")
    spared = {v.ref: reasons[v.id] for v in due if v.id in reasons}
    return [version for version in due if version.id not in reasons], spared


def _single_copies(store: Store, older_than_s: float) -> int:
    """Bytes of old files in `cache/`, which `free_files` counts as well."""
    from nbtrack.store.disk_files import list_files

    before = time.time() - older_than_s
    found = list_files(store.path).cached
    return sum(file.size_bytes for file in found if file.changed_at < before)


def _old_copies(store: Store, older_than_s: float) -> list[Path]:
    """Whole versions that were put together for a reader, all of them old."""
    home = store.path / "cache" / "artifacts"
    before = time.time() - older_than_s
    try:
        entries = sorted(home.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [entry for entry in entries if _changed_at(entry) < before]


def _changed_at(path: Path) -> float:
    """When the newest of it was made."""
    return max((info.st_mtime for info in _infos(path)), default=0.0)


def _size_of(path: Path) -> int:
    infos = _infos(path)
    return sum(info.st_size for info in infos if stat.S_ISREG(info.st_mode))


def _infos(path: Path) -> list[os.stat_result]:
    found = []
    paths = [path, *(path.rglob("*") if path.is_dir() else ())]
    for each in paths:
        try:
            found.append(each.lstat())
        except FileNotFoundError:  # another clean-up was first
            continue
    return found


def _remove(path: Path) -> int:
    """Remove a copy; how many bytes that frees. Nobody finds half of it meanwhile."""
    away = path.with_name(f".nbtrack-{secrets.token_hex(8)}")
    try:
        path.rename(away)
    except FileNotFoundError:
        return 0
    size = _size_of(away)
    if away.is_dir() and not away.is_symlink():
        shutil.rmtree(away, ignore_errors=True)
    else:
        away.unlink(missing_ok=True)
    return size


def _listed(refs: tuple[str, ...]) -> str:
    more = f" and {len(refs) - _N_NAMED} more" if len(refs) > _N_NAMED else ""
    return shorten(", ".join(visible(ref) for ref in refs[:_N_NAMED]), 400) + more
