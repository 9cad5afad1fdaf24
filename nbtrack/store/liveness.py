"""Whether a session is alive: an OS lock on a file in its journal folder.

`fcntl.lockf` is not inherited by fork, is freed at death however sudden, and is kept
in sleep. Only where locks do not work does a heartbeat stand in. A process never
opens its own session's lock file twice: closing any descriptor drops a POSIX lock.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from nbtrack.store.process import PROCESS

HEARTBEAT_S = 10.0
_STALE_S = 4 * HEARTBEAT_S
_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class SessionLock:
    """The lock file of one session, held by this process until `release`."""

    def __init__(self, folder: Path, handle: int) -> None:
        self.folder = folder
        self.id = folder.name
        self._handle = handle
        self._beat_at = 0.0

    @classmethod
    def create(
        cls, journal: Path, session_id: str, facts: dict[str, Any]
    ) -> SessionLock:
        """Make the session's folder, already locked when others first see it."""
        hidden = journal / f".{session_id}"
        hidden.mkdir(mode=0o700)
        handle = os.open(hidden / "lock", _FLAGS | os.O_CREAT, 0o600)
        try:
            os.write(handle, json.dumps(facts).encode())
            _lock_or_beat(hidden, handle)
            folder = journal / session_id
            hidden.rename(folder)
        except OSError:  # a full disk: each try would leave another folder
            os.close(handle)
            with suppress(OSError):
                (hidden / "lock").unlink()
                hidden.rmdir()
            raise
        PROCESS.sessions.add(session_id)
        return cls(folder, handle)

    @classmethod
    def take_over(cls, folder: Path) -> SessionLock | None:
        """Lock a dead session's folder; None where it lives or another was faster."""
        if folder.name in PROCESS.sessions or _beats(folder):
            return None
        try:
            handle = os.open(folder / "lock", _FLAGS)
        except OSError:
            return None
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = os.fstat(handle).st_nlink > 0
        except OSError as exc:
            alone = exc.errno in _NO_LOCKS
        if not alone:
            os.close(handle)
            return None
        PROCESS.sessions.add(folder.name)
        return cls(folder, handle)

    def facts(self) -> dict[str, Any]:
        """What the session wrote of itself when it began."""
        try:
            found = json.loads(os.pread(self._handle, 65536, 0) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def beat(self) -> None:
        """Renew the heartbeat where there is one; cheap to call often."""
        now = time.monotonic()
        if now - self._beat_at > HEARTBEAT_S:
            self._beat_at = now
            if (self.folder / "heartbeat").exists():
                os.utime(self.folder / "heartbeat")

    def release(self) -> None:
        """Let go of the lock and leave the folder as it is."""
        os.close(self._handle)
        PROCESS.sessions.discard(self.id)

    def remove(self) -> None:
        """Remove the folder, which holds nothing any more, and let go."""
        for path in self.folder.glob("*"):
            path.unlink(missing_ok=True)
        self.folder.rmdir()
        self.release()


def is_alive(folder: Path) -> bool:
    """Whether the process that made this journal folder still runs."""
    if folder.name in PROCESS.sessions or _beats(folder):
        return True
    try:
        handle = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # taken over and removed, or never there
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(handle, fcntl.F_GETLK, asked)
        return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)
    except OSError:
        return False
    finally:
        os.close(handle)


_FLAGS = os.O_RDWR | os.O_CLOEXEC


def _lock_or_beat(folder: Path, handle: int) -> None:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            raise
        (folder / "heartbeat").touch(mode=0o600)


def _beats(folder: Path) -> bool:
    try:
        beat_at = (folder / "heartbeat").stat().st_mtime
    except OSError:
        return False
    return abs(time.time() - beat_at) < _STALE_S
