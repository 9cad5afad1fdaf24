"""Files that take longer to make than an answer may: each in a thread of its own.

What is made lies in a temporary file without a name, which only this process can read
and which no crash leaves behind, until it was fetched or ten minutes have passed. A job
that is cancelled stops at its next word; what it made until then is let go.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal

from nbtrack.errors import BusyError, FileGoneError, JobNotFoundError, NbtrackError
from nbtrack.guard import tolerated
from nbtrack.store import Store
from nbtrack.store.followed import FollowedStore
from nbtrack.text import shorten, visible

MAX_AT_ONCE = 4
MAX_KEPT = 16  # those that have ended included
KEPT_S = 600.0  # after the end
_PIECE_BYTES = 1 << 20
_WORDS = 300

State = Literal["running", "done", "failed", "cancelled"]
Tell = Callable[[float | None, str], None]  # how far it is (0 to 1), and at what
# What makes a file of a run: it writes it, and returns its name and a last word.
Make = Callable[[Store, str, IO[bytes], Tell], tuple[str, str]]

_logger = logging.getLogger("nbtrack")


class _CancelledError(Exception):
    """Stops a job where it tells how far it is."""


class Job:
    """One file that is being made, or was."""

    def __init__(self, kind: str) -> None:
        self.id = secrets.token_hex(8)
        self.kind = kind
        self.state: State = "running"
        self._progress: float | None = None
        self._message = ""
        self._filename: str | None = None
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def told(self) -> dict[str, Any]:
        """How it is now."""
        with self._lock:
            return {
                "job": self.id,
                "kind": self.kind,
                "state": self.state,
                "progress": self._progress,
                "message": self._message,
                "filename": self._filename,
            }

    @property
    def has_file(self) -> bool:
        """Whether what it made is still here."""
        return self._file is not None

    def cancel(self) -> None:
        """Stop where it goes on; what was made is let go."""
        with self._lock:
            if self.state == "running":
                self.state, self._message = "cancelled", ""
        self.let_go()

    def let_go(self) -> None:
        """Forget the file, not how the job ended."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def file(self) -> tuple[str, int, Generator[bytes, None, None]]:
        """The name, the size and the pieces of what was made.

        Raises
        ------
        FileGoneError
            Where there is nothing yet, or no longer.
        """
        with self._lock:
            if self._file is None or self._filename is None:
                raise FileGoneError(f"There is no file of job {self.id}: {self.state}.")
            size = os.fstat(self._file.fileno()).st_size
            return self._filename, size, _pieces(os.dup(self._file.fileno()))

    # -- in its thread -------------------------------------------------------------

    def run(self, make: Make, store: Path, run_id: str) -> None:
        """Make the file; what goes wrong is what the job says of itself."""
        with tolerated(self._failed), tempfile.TemporaryFile() as file:
            with FollowedStore.open(store, create=False) as opened:
                name, word = make(opened, run_id, file, self._tell)
            file.flush()
            self._done(name, word, os.fdopen(os.dup(file.fileno()), "rb"))

    def _tell(self, progress: float | None, message: str) -> None:
        with self._lock:
            if self.state != "running":
                raise _CancelledError
            self._progress, self._message = progress, shorten(message, _WORDS)

    def _done(self, name: str, word: str, file: IO[bytes]) -> None:
        with self._lock:
            if self.state != "running":
                file.close()
                return
            self.state, self._progress, self._message = "done", 1.0, word
            self._filename, self._file = name, file

    def _failed(self, exc: Exception) -> None:
        if isinstance(exc, _CancelledError):
            return
        is_ours = isinstance(exc, NbtrackError)
        if not is_ours:
            _logger.warning("nbtrack: a %s could not be made", self.kind, exc_info=exc)
        said = str(exc) if is_ours else f"{type(exc).__name__}: {exc}"
        with self._lock:
            if self.state == "running":
                self.state = "failed"
                self._message = shorten(visible(said), _WORDS)


class Jobs:
    """All jobs of a server, by id; used from its event loop."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Job] = OrderedDict()
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, "nbtrack-job")
        self._n_busy = 0  # a job that was cancelled may still be at work

    def __len__(self) -> int:
        return len(self._by_id)

    def start(self, kind: str, make: Make, store: Path, run_id: str) -> Job:
        """Begin to make something of a run.

        Raises
        ------
        BusyError
            Where as many are at work as may be.
        """
        if self._n_busy >= MAX_AT_ONCE:
            raise BusyError(
                f"{MAX_AT_ONCE} files are being made already: try again in a moment."
            )
        job = Job(kind)
        self._by_id[job.id] = job
        self._make_room()
        loop = asyncio.get_running_loop()
        ended = loop.run_in_executor(self._threads, job.run, make, store, run_id)
        self._n_busy += 1
        ended.add_done_callback(partial(self._ended, job.id))
        return job

    def job(self, job_id: str) -> Job:
        """The job of that id.

        Raises
        ------
        JobNotFoundError
            Where there is none, or it ended long ago.
        """
        found = self._by_id.get(job_id)
        if found is None:
            raise JobNotFoundError(f"No job {job_id}: it may have ended long ago.")
        return found

    def forget(self, job_id: str) -> None:
        """Let go of a job and of what it made."""
        found = self._by_id.pop(job_id, None)
        if found is not None:
            found.cancel()

    def close(self) -> None:
        """Let go of them all; those at work stop at their next word."""
        for job_id in list(self._by_id):
            self.forget(job_id)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ended(self, job_id: str, ended: asyncio.Future[None]) -> None:
        self._n_busy -= 1
        if not ended.cancelled():
            ended.get_loop().call_later(KEPT_S, self.forget, job_id)

    def _make_room(self) -> None:
        ended = [id_ for id_, job in self._by_id.items() if job.state != "running"]
        for job_id in ended[: max(0, len(self._by_id) - MAX_KEPT)]:
            self.forget(job_id)


def _pieces(handle: int) -> Generator[bytes, None, None]:
    """A file from its beginning, by a handle that is closed with this."""
    at = 0
    with os.fdopen(handle, "rb", closefd=True):
        while piece := os.pread(handle, _PIECE_BYTES, at):
            at += len(piece)
            yield piece
