"""One at a time: processes and threads that make the same thing wait for each other.

The system frees the lock when its holder dies, however suddenly; the file stays. Where
the file system has no locks, everybody has a turn.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nbtrack.errors import EnvironmentBlockedError

_POLL_S = 0.1
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
# A lock of the system is the whole process's.
_IN_PROCESS = threading.Lock()


@contextmanager
def turn(
    path: Path, *, until: float, tell: Callable[[str], None] = lambda text: None
) -> Iterator[None]:
    """Have the file to oneself; waits until `until` of the monotonic clock.

    Raises
    ------
    EnvironmentBlockedError
        Where another had it all the time.

    >>> with turn(Path("a.lock"), until=time.monotonic() + 1):
    ...     print("alone")
    alone
    """
    if not _IN_PROCESS.acquire(timeout=max(0.0, until - time.monotonic())):
        raise _waited(path)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _wait(handle, path, until, tell)
            yield
        finally:
            os.close(handle)
    finally:
        _IN_PROCESS.release()


def _wait(handle: int, path: Path, until: float, tell: Callable[[str], None]) -> None:
    is_told = False
    while not _locked(handle):
        if time.monotonic() > until:
            raise _waited(path)
        if not is_told:
            tell("Another process makes this environment: waiting for it.")
            is_told = True
        time.sleep(_POLL_S)


def _locked(handle: int) -> bool:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        return exc.errno in _NO_LOCKS
    return True


def _waited(path: Path) -> EnvironmentBlockedError:
    return EnvironmentBlockedError(
        f"Another process is still making the environment {path.stem}: wait for it and "
        "try again, or use `--env current`."
    )
