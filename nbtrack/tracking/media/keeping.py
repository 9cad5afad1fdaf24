"""Keeps rich values off the training thread, in the order in which they were logged.

The call copies what it is given and returns; encoding, hashing and the disk are the
business of one thread. What waits for it is bounded: beyond that a call waits a little,
and then the value is dropped and said. What cannot be kept is one warning a name, with
the way out, and never an exception in the user's loop.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbtrack.errors import NbtrackError
from nbtrack.guard import guard, tolerated
from nbtrack.interrupts import Changes
from nbtrack.records import MediaRecord
from nbtrack.text import clean_name, shorten
from nbtrack.tracking.background import Background
from nbtrack.tracking.media.content import (
    Content,
    Snapshot,
    kind_of,
    laid_out,
    refusal,
)

if TYPE_CHECKING:
    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

FEATURE = "rich values"
WAITING_BYTES_MAX = 256 * 2**20  # copies that may wait for the disk at a time
WAIT_S = 5.0  # the longest a call waits for room
SETTLE_WAIT_S = 30.0  # the longest the end of a run waits for what was logged

Write = Callable[["Moment", Snapshot], None]


@dataclass(frozen=True, slots=True)
class Moment:
    """Which value of which name, and where the run was then."""

    kind: str  # as messages name it: "image"
    name: str
    step: int
    at: float
    about: Mapping[str, Any]


class Steps:
    """The default step of each name: how often that name was logged in this run."""

    def __init__(self, earlier: Iterable[MediaRecord] = ()) -> None:
        self._lock = threading.Lock()
        self.last = {value.name: value.step for value in earlier}  # sorted by step
        self._counts: dict[str, Iterator[int]] = {
            name: itertools.count(step + 1) for name, step in self.last.items()
        }

    def next(self, name: str) -> int:
        """The step of a value that came without one."""
        with self._lock:
            return next(self._counts.setdefault(name, itertools.count()))

    def went_to(self, name: str, step: int) -> int:
        """A value came with this step; the next one without goes on behind it."""
        with self._lock:
            self._counts[name] = itertools.count(step + 1)
        return step


class Room:
    """Counts the bytes that wait for the disk."""

    def __init__(self, limit: int = WAITING_BYTES_MAX) -> None:
        self._limit = limit
        self._used = 0
        self._freed = Changes()

    def take(self, size: int, timeout_s: float = WAIT_S) -> None:
        """Wait until there is room.

        Raises
        ------
        ValueNotLoggedError
            When there is none in time.
        """
        with self._freed:
            if not self._freed.wait_for(lambda: self._fits(size), timeout_s):
                raise refusal(
                    f"{self._used / 2**20:.0f} MiB of values wait for the disk already",
                    "Log fewer or smaller ones",
                )
            self._used += size

    def give_back(self, size: int) -> None:
        """What was taken is written."""
        with self._freed:
            self._used -= size
            self._freed.notify_all()

    def _fits(self, size: int) -> bool:
        return self._used == 0 or self._used + size <= self._limit


_work = Background()
_room = Room()
_PID = os.getpid()  # a forked child inherits locks that nobody there will free


def is_forked() -> bool:
    """Whether this is a child of the process that keeps; it keeps nothing."""
    return os.getpid() != _PID


def submit(moment: Moment, snapshot: Snapshot, write: Write) -> None:
    """Have `write` called soon, in the order of the calls.

    Raises
    ------
    ValueNotLoggedError
        When too much waits already.
    """
    later(lambda: write(moment, snapshot), size_bytes=snapshot.size_bytes)


def later(call: Callable[[], None], *, size_bytes: int = 0) -> None:
    """Have something called soon that holds so many bytes until then.

    Raises
    ------
    ValueNotLoggedError
        When too much waits already.
    """
    _room.take(size_bytes)

    def job() -> None:
        try:
            call()
        finally:
            _room.give_back(size_bytes)

    _work.submit(job, feature=FEATURE)


def settle(timeout_s: float = SETTLE_WAIT_S) -> bool:
    """Wait until all that was logged so far is kept; False when the time is up."""
    return _work.settle(timeout_s)


def settle_run(run: Run) -> None:
    """The run is about to end: what it was given goes into it."""
    run.end_rich_values()
    if not settle():
        guard.warn_once(
            f"unsettled media {run.id}",
            f"rich values of run {run.name!r} are still being written",
        )


@contextmanager
def telling(run_id: str, kind: str, name: object) -> Iterator[list[Exception]]:
    """Run the body; what it raises is one warning for this name, and in the list."""
    raised: list[Exception] = []

    def tell(exc: Exception) -> None:
        raised.append(exc)
        ours = isinstance(exc, NbtrackError)
        why = str(exc) if ours else f"{type(exc).__name__}: {exc}"
        shown = f"{shorten(name, 60)!r} " if isinstance(name, str) else ""
        guard.warn_once(
            f"not kept: {run_id}.{kind}.{shown}",
            f"{kind} {shown}was not kept: {why}",
        )

    with tolerated(tell):
        yield raised


def checked_name(name: object) -> str:
    """The name as it is stored.

    Raises
    ------
    ValueNotLoggedError
        When it is no text: then the value was probably given second.
    """
    if isinstance(name, str) and name.strip():
        return clean_name(name)
    raise refusal(
        f"its name is {kind_of(name)}",
        "Write the value first and then a text for its name",
    )


def record_of(store: Store, moment: Moment, content: Content) -> MediaRecord:
    """The row of a value; what is too large for one goes into a file."""
    data, body, mime = laid_out(content)
    data |= moment.about
    kept = None if body is None else store.put_bytes(body)
    return MediaRecord(
        name=moment.name,
        type=content.type,
        step=moment.step,
        at=moment.at,
        mime=mime,
        digest=kept.digest if kept else None,
        size_bytes=kept.size_bytes if kept else None,
        data=data or None,
    )
