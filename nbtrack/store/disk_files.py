"""What lies in the folders of kept files, whoever put it there.

blobs/ab/<sha256>           a file kept whole
blobs/packs/<name>.pack     chunks
cache/<sha256>              a file put together from its chunks, for a reader
.partial-...                what somebody is writing, or was when he died
blobs/ab/.dying-<sha256>    what a collector is about to remove, or was
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nbtrack.store.asides import PARTIAL
from nbtrack.store.blobs import blob_path
from nbtrack.store.packs import PACK_SUFFIX, packs_folder

DYING = ".dying-"
_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file as the folder lists it."""

    path: Path
    size_bytes: int
    changed_at: float

    @property
    def name(self) -> str:
        """Its name, that of a pack without the suffix."""
        return self.path.name.removesuffix(PACK_SUFFIX)


@dataclass(frozen=True, slots=True)
class DiskFiles:
    """All of them, by what they are."""

    blobs: list[DiskFile]
    packs: dict[str, DiskFile]
    cached: list[DiskFile]
    rests: list[DiskFile]

    @property
    def total_bytes(self) -> int:
        """What they take."""
        groups = (self.blobs, self.packs.values(), self.cached, self.rests)
        return sum(file.size_bytes for group in groups for file in group)


def list_files(store: Path) -> DiskFiles:
    """Look into the folders of a store."""
    blobs: list[DiskFile] = []
    rests = [f for f in _files(store / "blobs") if _is_rest(f)]
    for folder in _blob_folders(store / "blobs"):
        for file in _files(folder):
            if _is_rest(file):
                rests.append(file)
            elif len(file.name) == _DIGEST_LENGTH:
                blobs.append(file)
    packs = list(_files(packs_folder(store / "blobs")))
    cached = list(_files(store / "cache"))
    rests += [file for file in packs + cached if _is_rest(file)]
    return DiskFiles(
        blobs,
        {file.name: file for file in packs if file.path.suffix == PACK_SUFFIX},
        [file for file in cached if not _is_rest(file)],
        rests,
    )


def list_packs(store: Path) -> dict[str, DiskFile]:
    """The packs alone, by name."""
    files = _files(packs_folder(store / "blobs"))
    return {file.name: file for file in files if file.path.suffix == PACK_SUFFIX}


def remove_blob(file: DiskFile, *, before: float) -> bool:
    """Remove a blob, unless somebody has touched it since `before`.

    It is moved away first: who touches it after that finds it gone, and writes it anew;
    who touched it before that is seen in the time it bears.
    """
    away = file.path.with_name(f"{DYING}{file.name}")
    try:
        file.path.rename(away)
        if away.stat().st_mtime >= before:
            away.rename(file.path)
            return False
        away.unlink()
    except FileNotFoundError:
        return False
    return True


def bring_back(store: Path) -> None:
    """Put blobs back that a collector had moved away when it died."""
    for folder in _blob_folders(store / "blobs"):
        for file in _files(folder):
            if file.name.startswith(DYING):
                digest = file.name.removeprefix(DYING)
                with suppress(FileNotFoundError):
                    file.path.rename(blob_path(store / "blobs", digest))


def _blob_folders(blobs: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError), os.scandir(blobs) as entries:
        for entry in entries:
            if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _files(folder: Path) -> Iterator[DiskFile]:
    """The regular files of a folder; a link is nobody's business."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(info.st_mode):
                    yield DiskFile(Path(entry.path), info.st_size, info.st_mtime)


def _is_rest(file: DiskFile) -> bool:
    return file.path.name.startswith((PARTIAL, DYING))
