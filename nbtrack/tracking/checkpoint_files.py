"""Copies of saved files, taken before the training can overwrite them.

A copy is a new private file in the store's `tmp` folder; where the file system can,
it shares the blocks of the original and costs nothing. Also what a saved file is
called and what kind of thing it is.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nbtrack.text import clean_name

COPY_BUFFER_BYTES = 1 << 20
COPY_CALL_BYTES = 1 << 30  # the kernel copies at most 2 GiB a call
STALE_S = 24 * 3600  # a copy of that age was left by a process that died

_UNFINISHED = frozenset({".tmp", ".temp", ".part", ".partial"})
_DATASETS = frozenset({".parquet", ".csv", ".tsv", ".feather", ".arrow", ".jsonl"})
_MODELS = frozenset(
    {".pt", ".pth", ".ckpt", ".safetensors", ".npz", ".npy", ".joblib", ".pkl"}
    | {".pickle", ".onnx", ".keras", ".h5", ".bin", ".model", ".sav"}
)
# They would make `name:version`, `name@stage` and paths ambiguous.
_SEPARATORS = re.compile(r"[:/\\@]")
# The file system or kernel cannot do it between these two files: copy by hand.
_CANNOT_SHARE = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}
)


def checkpoint_name(text: str) -> str:
    """A name for a checkpoint: no separators, no control characters, never empty.

    >>> checkpoint_name("a/b:v1"), checkpoint_name("")
    ('a_b_v1', 'checkpoint')
    """
    return clean_name(_SEPARATORS.sub("_", text)).strip(". ") or "checkpoint"


def name_of_file(path: Path) -> str:
    """The checkpoint's name: the stem, also of a file that is renamed afterwards.

    >>> name_of_file(Path("/models/mlp.pt")), name_of_file(Path("best.pt.tmp"))
    ('mlp', 'best')
    """
    while path.suffix.lower() in _UNFINISHED:
        path = path.with_suffix("")
    return checkpoint_name(path.stem)


def type_of_file(path: Path, *, saver: str = "") -> str:
    """Checkpoint, dataset or file.

    >>> type_of_file(Path("a.pt")), type_of_file(Path("a.parquet"))
    ('checkpoint', 'dataset')
    """
    suffix = path.suffix.lower()
    if saver.startswith("pandas.") or suffix in _DATASETS:
        return "dataset"
    return "checkpoint" if saver or suffix in _MODELS else "file"


class CopyFolder:
    """The folder of a store in which copies wait until they are kept."""

    def __init__(self, store_path: Path) -> None:
        self.path = store_path / "tmp"
        self.path.mkdir(mode=0o700, exist_ok=True)
        self._remove_stale()

    def new_path(self) -> Path:
        """A path for one file; its name comes from us, never from the user."""
        return self.path / f"{os.getpid()}-{secrets.token_hex(8)}"

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new folder for files that are about to be kept; gone afterwards."""
        path = self.new_path()
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def copy(self, source: Path) -> Path:
        """Copy `source` and return the copy, or raise OSError and leave none."""
        target = self.new_path()
        try:
            copy_file(source, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target

    def _remove_stale(self) -> None:
        oldest = time.time() - STALE_S
        for path in self.path.iterdir():
            with suppress(FileNotFoundError):  # another thread has just taken it away
                found = path.lstat()
                if found.st_mtime >= oldest:
                    continue
                if stat.S_ISDIR(found.st_mode):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def copy_file(source: Path, target: Path) -> None:
    """Copy the bytes of a regular file into a new file of mode 0600."""
    with open(source, "rb", buffering=0) as read:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(target, flags, 0o600), "wb", buffering=0) as write:
            if not _copy_in_kernel(read.fileno(), write.fileno()):
                shutil.copyfileobj(read, write, COPY_BUFFER_BYTES)


def _copy_in_kernel(source: int, target: int) -> bool:
    """Whether the kernel could copy; shares blocks on btrfs and xfs."""
    copied = 0
    try:
        while n := os.copy_file_range(source, target, COPY_CALL_BYTES):
            copied += n
    except OSError as exc:
        if copied or exc.errno not in _CANNOT_SHARE:
            raise
        return False
    return copied > 0 or os.fstat(source).st_size == 0
