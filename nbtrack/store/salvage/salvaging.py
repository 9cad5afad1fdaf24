"""A damaged store as a new one: what can be read of it, and what was lost.

The damaged one is only read. Its database and log are copied; of the copy every page is
looked at, so that one that is damaged takes no other with it. Files come where each of
their bytes is as it was kept, journals of processes that are dead where they are whole.
"""

from __future__ import annotations

import mmap
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nbtrack.errors import StoreError
from nbtrack.store import file_index
from nbtrack.store.backup import (
    FOLDERS,
    copy_dead_journals,
    copy_file,
    copy_folder,
    living,
    made_beside,
    refuse_taken,
    writing_to,
)
from nbtrack.store.blobs import blob_path
from nbtrack.store.database import connect_untouched
from nbtrack.store.disk_files import list_packs
from nbtrack.store.locate import DATABASE_NAME
from nbtrack.store.salvage.copying import copy_apart
from nbtrack.store.salvage.pages import Pages, read_log
from nbtrack.store.salvage.rebuild import MADE_UP, SCHEMAS, rebuild
from nbtrack.store.salvage.tables import (
    Found,
    Table,
    born_schemas,
    fit,
    read_tables,
    schema_of,
)
from nbtrack.store.schema import VERSION
from nbtrack.store.store import Store
from nbtrack.text import counted

_SOURCE, _SCRATCH = "damaged.db", "scratch"
_NAMED_MAX = 10


@dataclass(frozen=True, slots=True)
class TableSaved:
    """What came of one table."""

    name: str
    n_rows: int
    n_lost_rows: int  # seen, and damaged or without what they belong to
    n_lost_pages: int  # that nobody can say the rows of


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was read of a damaged store, where it is now, and what was lost."""

    path: Path
    n_runs: int
    n_files: int
    tables: tuple[TableSaved, ...]
    lost_files: tuple[str, ...]  # "mlp:v3 model.pt", or a digest
    notices: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost that is known of."""
        lost = any(each.n_lost_rows or each.n_lost_pages for each in self.tables)
        return not lost and not self.lost_files

    def __str__(self) -> str:
        runs, files = counted(self.n_runs, "run"), counted(self.n_files, "file")
        lines = [f"{self.path}: {runs}, {files}"]
        for each in self.tables:
            if each.n_lost_rows or each.n_lost_pages:
                lines.append(
                    f"lost of {each.name}: {each.n_lost_rows:,} rows and all of "
                    f"{each.n_lost_pages:,} pages; {each.n_rows:,} rows are there"
                )
        lines += [f"lost: {name}" for name in self.lost_files[:_NAMED_MAX]]
        if len(self.lost_files) > _NAMED_MAX:
            lines.append(f"… and {len(self.lost_files) - _NAMED_MAX:,} more files")
        if self.is_whole:
            lines.append("nothing was lost that is known of")
        return "\n".join([*lines, *self.notices])


@dataclass(frozen=True, slots=True)
class _Read:
    """One way to read the file: with its log, or without."""

    version: int
    tables: Mapping[str, Table]
    found: Mapping[str, Found]

    @property
    def worth(self) -> tuple[int, int]:
        """The less damage the better; then, the more rows."""
        damage = sum(each.damage for each in self.found.values())
        return -damage, sum(len(each.rows) for each in self.found.values())


def salvage(folder: Path, target: Path) -> Salvaged:
    """Write what can be read of the store at `folder` as a new store at `target`.

    Raises
    ------
    StoreError
        Where there is nothing to be read at all, or `target` cannot be written.
    """
    database = folder / DATABASE_NAME
    if not database.is_file():
        raise StoreError(f"There is no store at {folder}.")
    target = refuse_taken(folder, target)
    with writing_to(target), made_beside(target) as made:
        scratch = made / _SCRATCH
        scratch.mkdir(mode=0o700)
        read, notices = _read_all(database, scratch)
        kept = rebuild(made / DATABASE_NAME, read.version, read.tables, read.found)
        (made / DATABASE_NAME).chmod(0o600)
        shutil.rmtree(scratch)
        _copy_files(folder, made)
        copy_dead_journals(folder, made)
        for name in FOLDERS:
            copy_folder(folder / name, made / name)
        with Store.open(made) as store:  # brings it up to date, takes journals over
            lost, n_files = _lost_files(store)
            n_runs = len(store.runs(trashed=None))
            n_made_up = len(store.runs(trashed=None, experiment=MADE_UP))
        made.rename(target)
    tables = tuple(_saved(read.found, kept))
    names = tuple(dict.fromkeys(lost.values()))
    notices = (*notices, *_made_up(n_made_up), *living(folder))
    return Salvaged(target, n_runs, n_files, tables, names, notices)


def _saved(found: Mapping[str, Found], kept: Mapping[str, int]) -> Iterator[TableSaved]:
    """What became of each table; rows that could be read and not be kept are lost."""
    for name, each in sorted(found.items()):
        if name in kept:
            n_lost = max(0, len(each.rows) + each.n_lost_rows - kept[name])
            yield TableSaved(name, kept[name], n_lost, len(each.lost_pages))


def _made_up(n: int) -> tuple[str, ...]:
    """Runs without a row of their own, as a notice."""
    if not n:
        return ()
    return (
        f"{n:,} of the runs were lost, but something of theirs is there: "
        f"they have the experiment {MADE_UP!r}",
    )


def _read_all(database: Path, scratch: Path) -> tuple[_Read, tuple[str, ...]]:
    copy_apart(database, scratch / _SOURCE)
    alone = Pages(_mapped(scratch / _SOURCE))
    ways = [
        _read(pages, scratch) for pages in [alone, *_with_log(alone, database, scratch)]
    ]
    best = max(reversed(ways), key=lambda way: way.worth)
    if not any(each.rows for each in best.found.values()):
        raise StoreError(f"No row of a store can be read from {database}.")
    is_left = len(ways) > 1 and best is ways[0]
    left = f"{DATABASE_NAME}-wal was left out: it does not belong to this database"
    return best, (left,) if is_left else ()


def _mapped(path: Path) -> bytes | mmap.mmap:
    """A file as it lies, however large it is; an empty one cannot be mapped."""
    if not path.stat().st_size:
        return b""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _with_log(alone: Pages, database: Path, scratch: Path) -> Iterator[Pages]:
    log = Path(f"{database}-wal")
    if log.is_file() and log.stat().st_size:
        copy_apart(log, scratch / f"{_SOURCE}-wal")
        newer = read_log((scratch / f"{_SOURCE}-wal").read_bytes(), alone.size)
        if newer:
            yield Pages(alone.body, newer)


def _read(pages: Pages, scratch: Path) -> _Read:
    version = pages.version if pages.version in SCHEMAS else VERSION
    known = schema_of(pages)
    if "runs" not in known:
        born = list(born_schemas(scratch, SCHEMAS[version]))
        known = max(born, key=lambda tables: fit(pages, tables))
    return _Read(version, known, read_tables(pages, known))


def _copy_files(folder: Path, made: Path) -> None:
    """All that lies in `blobs/`, by what the salvaged rows name, and every pack."""
    with closing(connect_untouched(made / DATABASE_NAME)) as database:
        names = {name for (name,) in database.execute("select name from sqlite_master")}
        digests = (
            file_index.named_files(database) if "artifact_files" in names else None
        )
    blobs = folder / "blobs"
    if digests is None:  # of an older version: everything
        paths = [path for path in blobs.glob("??/*") if path.is_file()]
    else:
        paths = [blob_path(blobs, digest) for digest in digests]
    paths += [pack.path for pack in list_packs(folder).values()]
    for path in paths:
        if not path.is_symlink():
            copy_file(path, made / path.relative_to(folder))


def _lost_files(store: Store) -> tuple[dict[str, str], int]:
    """Files that are named and not whole, by their digest; how many are whole."""
    named = {owner.digest: owner for owner in store.file_owners()}
    lost = {}
    for digest, owner in named.items():
        try:
            store.verify_file(digest)
        except StoreError:
            ref = (
                f"{owner.artifact}:v{owner.version}" if owner.artifact else "a picture"
            )
            lost[digest] = f"{ref}, file {digest[:12]}…"
    return lost, len(named) - len(lost)
