"""Who names the kept files, and what the rest of the store takes of the disk."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import NamedTuple

from nbtrack.store.locate import DATABASE_NAME


class Owner(NamedTuple):
    """One that names a file: a version of an artifact, or a rich value of a run."""

    digest: str
    run: str | None  # None: a version that no run logged
    run_name: str | None
    artifact: str | None  # None: a rich value
    version: int | None
    type: str


class MeasuresDisk:
    """The part of `Store` that says who takes the disk."""

    path: Path
    _reading: Callable[[], AbstractContextManager[sqlite3.Connection]]

    def file_owners(self) -> list[Owner]:
        """Every naming of a kept file, each once; a version once for each run."""
        with self._reading() as reader:
            rows = reader.execute(
                """
                select distinct files.digest, uses.run, runs.name, artifacts.name,
                  versions.version, artifacts.type
                from artifact_files as files
                join artifact_versions as versions on versions.id = files.version
                join artifacts on artifacts.id = versions.artifact
                left join artifact_uses as uses
                  on uses.version = versions.id and uses.role = 'output'
                left join runs on runs.id = uses.run
                where versions.gone_at is null and files.digest is not null
                  and files.uri is null
                union
                select distinct digest, run, runs.name, null, null, 'media'
                from media join runs on runs.id = media.run
                where digest is not null
                """
            ).fetchall()
        return [Owner(*row) for row in rows]

    def folder_bytes(self) -> dict[str, int]:
        """What each part of the store's folder takes: blobs, database, journal, ..."""
        sizes = dict.fromkeys(("blobs", "cache", "database", "journal", "rest"), 0)
        for path, size in _files(self.path):
            top = path.relative_to(self.path).parts[0]
            if top.startswith(DATABASE_NAME):
                sizes["database"] += size
            else:
                sizes[top if top in ("blobs", "cache", "journal") else "rest"] += size
        return sizes


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    for here, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                info = os.lstat(os.path.join(here, name))
                if stat.S_ISREG(info.st_mode):
                    yield Path(here, name), info.st_size
