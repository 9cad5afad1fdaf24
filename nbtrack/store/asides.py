"""Files written beside their place and moved there when whole.

    .partial-<random>    0600, locked by whoever writes it; then synced, and renamed

A reader finds a file whole or not at all. What a writer that died has left is told by
its lock, which went with it; where a file system has no locks, by its age alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PARTIAL = ".partial-"
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
WRITE_BACK_BYTES = 8 << 20
KEPT_MODE = 0o400  # of what the store keeps: nobody writes to it again


@dataclass(slots=True)
class Aside:
    """A file on its way."""

    path: Path
    file: BinaryIO
    _n_written: int = 0
    _n_begun: int = 0  # of these, the disk has begun to write

    def write(self, content: bytes | memoryview) -> None:
        """Write all of it."""
        view = memoryview(content)
        while view:
            n = self.file.write(view)
            self._n_written += n
            view = view[n:]
        if self._n_written - self._n_begun >= WRITE_BACK_BYTES:
            self._begin_write_back()

    def settle(
        self,
        target: Path,
        *,
        mode: int | None = KEPT_MODE,
        changed_at: float | None = None,
    ) -> None:
        """Sync it, move it to `target`, which is whole from then on, and sync that."""
        # The kernel's own stamp may be 4 ms old: older than a collection that began.
        at = time.time() if changed_at is None else changed_at
        os.utime(self.file.fileno(), (at, at))
        os.fsync(self.file.fileno())
        if mode is not None:
            os.fchmod(self.file.fileno(), mode)
        self.path.replace(target)
        sync_folder(target.parent)

    def _begin_write_back(self) -> None:
        """Have the disk begin now, so that the sync at the end has less to wait for.

        The advice says that nobody will read it soon: Linux starts to write it then,
        and forgets only what is written.
        """
        if hasattr(os, "posix_fadvise"):
            handle, start = self.file.fileno(), self._n_begun
            length = self._n_written - start
            os.posix_fadvise(handle, start, length, os.POSIX_FADV_DONTNEED)
        self._n_begun = self._n_written


@contextmanager
def aside(folder: Path, *, mode: int = 0o600) -> Iterator[Aside]:
    """A new file in `folder` that is gone afterwards, unless it was settled."""
    path, handle = _create(folder, mode)
    with os.fdopen(handle, "wb", buffering=0) as file:
        try:
            yield Aside(path, file)
        finally:
            path.unlink(missing_ok=True)
            # Said, not left to the close: a child forked meanwhile has a copy.
            with suppress(OSError):
                fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def is_abandoned(path: Path) -> bool:
    """Whether nobody writes this file any more; its lock is free, or there are none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return _lock(handle)
    finally:
        os.close(handle)


def make_private_folder(path: Path) -> Path:
    """A folder of mode 0700 where there is none yet."""
    if not path.is_dir():
        path.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent)
    return path


def make_private_folders(path: Path) -> None:
    """All that are not there; `mkdir(parents=True)` gives its mode to the last only."""
    if not path.is_dir():
        make_private_folders(path.parent)
        make_private_folder(path)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk: a power cut may undo a rename else."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno != errno.EINVAL:  # some mounts sync no folders
            raise
    finally:
        os.close(handle)


def _create(folder: Path, mode: int) -> tuple[Path, int]:
    while True:
        path = folder / f"{PARTIAL}{os.urandom(8).hex()}"
        handle = os.open(path, _CREATE, mode)
        # A collector may have come between the two calls, and taken it for abandoned.
        if _lock(handle) and os.fstat(handle).st_nlink:
            return path, handle
        os.close(handle)


def _lock(handle: int) -> bool:
    """Whether the lock is ours, or cannot be had because there are no locks here."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
