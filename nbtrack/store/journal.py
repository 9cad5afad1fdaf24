"""The journal: where everything a process says about its runs is safe at once.

`point` packs 32 bytes into a mapped file and returns: no lock, no SQLite, about half a
microsecond, and kill -9 loses nothing of it. One writer thread moves the slots into
the tables every 200 ms; what a dead process left is moved by the next opener.
Nothing here raises into the caller, and nothing here waits for the database but
`flush`.
"""

from __future__ import annotations

import json
import os
import struct
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from nbtrack.guard import guard
from nbtrack.interrupts import Changes, Signal
from nbtrack.metric_names import goal_of
from nbtrack.records import AlertRecord
from nbtrack.store.reserve import Reserve
from nbtrack.store.segments import EVENT, NOTHING, POINT, SLOT, SLOT_BYTES, Segment

CommandCall = Callable[[str, str], None]  # the command, who gave it
AlertCall = Callable[[AlertRecord], None]
Follower = Callable[[list[dict[str, Any]], bytes], None]  # events, slots of points
PointCall = Callable[[int, int, float, float], None]
Target = tuple[Any, Callable[[], int]]  # a buffer and the source of its offsets
Overflow = Callable[[Any, int, tuple[int, int, float, float]], None]
_BAD_VALUE = (struct.error, TypeError, ValueError, OverflowError, RuntimeError)
_MAX_TEXT_BYTES = 32 << 20
FLUSH_S = 5.0
_TURN_S = 0.005


class Journal:
    """The writing end; one per process and store, shared by all its threads.

    `point(series, step, value, at)` is the hot call: an attribute that holds a plain
    closure and stays the same for the journal's life, so that callers may keep it in
    a local variable. `step` is an int64, `value` and `at` are floats, at in seconds
    since the epoch. It never raises and never waits.

    >>> import tempfile
    >>> from nbtrack.store import Store
    >>> store = Store.open(tempfile.mkdtemp())
    >>> store.journal.emit({"kind": "run_started", "run": "r1", "name": "base"})
    >>> loss = store.journal.series("r1", "loss")
    >>> store.journal.point(loss, 0, 0.5, 1e9)
    >>> store.journal.flush()
    True
    >>> store.run("r1").metrics["loss"].last
    0.5
    >>> store.close()
    """

    def __init__(self, reserve: Reserve | None, session: str) -> None:
        self.session = session
        self.dropped = 0
        self.segments: list[Segment] = []  # in order; the writer takes from the left
        self.wake = Signal()
        self.progress = Changes()
        self.done: tuple[int, int] = (0, 0)  # committed up to here
        self.callbacks: dict[str, CommandCall] = {}
        self.follower: Follower | None = None
        self.on_alert: AlertCall | None = None  # in the writer's thread, once committed
        self.is_closed = False
        self.is_gone = False  # the store was deleted: nothing can be kept
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._reserve = reserve
        self._segment: Segment | None = None
        self._series: dict[tuple[str, str, str | None], int] = {}
        self._next_series = count(1).__next__
        write_through = reserve is not None and not reserve.is_mapped
        self.point, self._switch = _hot_call(
            _NOWHERE, self._overflow, self._through if write_through else None
        )
        self._roll()

    @property
    def is_inherited(self) -> bool:
        """Whether this is a forked child, in which nothing more is kept here."""
        return self._pid != os.getpid()

    # -- saying things -----------------------------------------------------------

    def emit(self, event: dict[str, Any]) -> None:
        """Keep an event; it is safe from kill -9 on return.

        Never raises: what JSON cannot hold is kept as its `repr`.

        Parameters
        ----------
        event
            A dict with "kind" and "run"; see `nbtrack.store.events`.
        """
        body = _encoded(event)
        if body is None or not self._put_event(body):
            self._drop("events", "an event could not be kept")

    def series(
        self, run_id: str, name: str, *, goal: str | None = None,
        axis_of: str | None = None,
    ) -> int:  # fmt: skip
        """The number under which points of this metric are logged.

        Idempotent per (run, name, axis_of). The goal is guessed from the name where
        none is given; a metric named as `axis_of` makes this one of its axes.
        """
        key = (run_id, name, axis_of)
        number = self._series.get(key)
        if number is None:
            with self._lock:
                if key not in self._series:
                    self._declare(key, goal)
                number = self._series[key]
        return number

    def forget_series(self, run_id: str) -> None:
        """Declare the metrics of a run anew: they may have been renamed meanwhile."""
        with self._lock:
            for key in [key for key in self._series if key[0] == run_id]:
                del self._series[key]

    def flush(self, timeout_s: float = FLUSH_S) -> bool:
        """Wait until all that was said before is committed; False when time is up."""
        if self._pid != os.getpid():
            return False
        deadline = time.monotonic() + timeout_s
        position = self._mark()
        with self.progress:
            while position is None or self.done <= position:
                self.wake.set()
                left = deadline - time.monotonic()
                if left <= 0 or self.is_closed:
                    return False
                self.progress.wait(min(left, 0.05))
                position = position or self._mark()
        return True

    def on_control(self, run_id: str, callback: CommandCall | None) -> None:
        """Call `callback(command, by)` from the writer thread when a control row comes.

        None takes the callback away.
        """
        if callback is None:
            self.callbacks.pop(run_id, None)
        else:
            self.callbacks[run_id] = callback

    def follow(self, follower: Follower) -> None:
        """Call this with all that is committed, in order, from the writer's thread.

        It gets the events and, as slots of 32 bytes, the points of each commit, before
        anybody who waits in `flush` for it goes on; see `nbtrack.store.replica`.
        """
        self.follower = follower

    def turn_over(self, timeout_s: float = 0.0) -> bool:
        """Go on in a new segment, so that what was said before leaves the disk.

        Whether it has by then: a segment goes once all of it is committed.
        """
        with self._lock:
            if self.is_closed or self._pid != os.getpid():
                return False
            self._roll()
            number = self._segment.number if self._segment else 0
        deadline = time.monotonic() + timeout_s
        while self.segments and self.segments[0].number < number:
            self.wake.set()
            if time.monotonic() >= deadline:
                return False
            time.sleep(_TURN_S)
        return True

    # -- for the writer ----------------------------------------------------------

    def segment_at(self, number: int) -> Segment | None:
        """The first segment that is not before `number`."""
        return next((s for s in list(self.segments) if s.number >= number), None)

    def is_current(self, segment: Segment) -> bool:
        """Whether new points go into this segment."""
        return self._segment is segment

    def advanced(self, position: tuple[int, int]) -> None:
        """The writer has committed everything before `position`."""
        with self.progress:
            self.done = position
            self.progress.notify_all()

    def retire(self, segment: Segment) -> None:
        """A segment is drained to its end."""
        with self._lock:
            if segment in self.segments:
                self.segments.remove(segment)
            if self._reserve is not None:
                self._reserve.give_back(segment)

    def try_again(self) -> None:
        """Look for room once more where neither disk nor memory had any."""
        with self._lock:
            if self._segment is None and not self.is_closed:
                self._roll()

    def lose(self, n: int) -> None:
        """Count points that will never be kept."""
        with self._lock:
            self.dropped += n

    def end(self, *, gone: bool = False) -> None:
        """Take nothing any more; what comes in from now on is counted."""
        with self._lock:
            self.is_gone = self.is_gone or gone
            self.is_closed = True
            self._switch(_NOWHERE)
            if self._segment is not None:
                self._segment.seal()
            self._segment = None
        with self.progress:
            self.progress.notify_all()

    def become_inert(self) -> None:
        """In a forked child: forget how to write, touch nothing of the parent's."""
        self._lock = threading.RLock()
        self.progress = Changes()
        self.wake = Signal()
        self.is_closed = True
        self._segment = None
        self._switch(_NOWHERE)

    # -- inside ------------------------------------------------------------------

    def _declare(self, key: tuple[str, str, str | None], goal: str | None) -> None:
        run_id, name, axis_of = key
        number = self._next_series()
        self.emit(
            {
                "kind": "metric", "run": run_id, "series": number, "name": name,
                "goal": goal or (None if axis_of else goal_of(name)),
                "axis_of": axis_of,
            }
        )  # fmt: skip
        self._series[key] = number

    def _overflow(
        self, buffer: Any, offset: int, point: tuple[int, int, float, float]
    ) -> None:
        """A point that did not go in: the segment is full, or the value is no float."""
        if offset + SLOT_BYTES <= len(buffer):
            SLOT.pack_into(buffer, offset, 0, 0.0, 0.0, 0, NOTHING)
            self._drop("a value", f"{point[2]!r} is not a number and was not kept")
            return
        with self._lock:
            segment = self._segment
            if segment is not None and segment.slots is buffer:
                self._roll()
            else:
                self._aim()  # another thread has, or Ctrl-C kept it from that
            if self._segment is None:
                self._count_lost()
                return
        self.point(point[0], point[1], point[2], point[3])

    def _count_lost(self) -> None:
        if self._pid != os.getpid():
            return
        self.dropped += 1
        if not self.is_closed:
            guard.warn_once(
                "journal", "neither disk nor memory takes more points: they are dropped"
            )

    def _drop(self, kind: str, message: str) -> None:
        if self._pid == os.getpid():
            self.lose(1)
            if not self.is_closed:
                guard.warn_once(kind, message)

    def _roll(self, text_bytes: int = 0) -> None:
        """Go on in a new segment; the old one takes no more slots."""
        # All of them: a roll that Ctrl-C came into may leave one listed and never used.
        for before in self.segments:
            before.seal()
        segment = None
        if self._reserve is not None and not self.is_closed:
            segment = self._reserve.next(text_bytes)
        if segment is not None:
            self.segments.append(segment)
        self._segment = segment
        self._aim()
        self.wake.set()

    def _aim(self) -> None:
        """Have points go where the journal is now."""
        segment = self._segment
        self._switch(_NOWHERE if segment is None else (segment.slots, segment.take))

    def _put_event(self, body: bytes) -> bool:
        while True:
            with self._lock:
                segment = self._segment
                if segment is not None and not segment.has_room_for(len(body)):
                    self._roll(len(body))
                    segment = self._segment
                if segment is None:
                    return False
                offset = segment.put_text(body)
            if self._put_slot(segment, offset, len(body), EVENT):
                return True

    def _mark(self) -> tuple[int, int] | None:
        """Take a slot that means nothing: everything before it was said before it."""
        while (segment := self._segment) is not None:
            slot = self._put_slot(segment, 0, 0, NOTHING)
            if slot:
                return segment.number, slot
        return None

    def _put_slot(self, segment: Segment, first: int, last: int, mark: int) -> int:
        """Write a slot that is no point; 0 where the segment is full."""
        place = segment.take()
        if place + SLOT_BYTES <= len(segment.slots):
            SLOT.pack_into(segment.slots, place, first, 0.0, 0.0, last, mark)
            segment.write_through(place, segment.slots[place : place + SLOT_BYTES])
            return place // SLOT_BYTES
        with self._lock:
            if self._segment is segment:
                self._roll()
        return 0

    def _through(self, buffer: Any, offset: int) -> None:
        """Write a slot to the file too, where mmap is not safe."""
        for segment in reversed(self.segments):
            if segment.slots is buffer:
                with guard("journal on a network mount"):
                    body = buffer[offset : offset + SLOT_BYTES]
                    segment.write_through(offset, body)
                return


_NOWHERE: Target = (bytearray(0), count(0, SLOT_BYTES).__next__)


def _hot_call(
    start: Target, overflow: Overflow, through: Callable[[Any, int], None] | None
) -> tuple[PointCall, Callable[[Target], None]]:
    """The closure that takes points, and the one that turns it to another segment."""
    current = start
    pack = SLOT.pack_into
    bad_value = _BAD_VALUE

    def point(series: int, step: int, value: float, at: float) -> None:
        # Read once: a segment change in another thread must not mix the two.
        buffer, take = current
        offset = take()
        try:
            pack(buffer, offset, step, value, at, series, POINT)
        except bad_value:
            overflow(buffer, offset, (series, step, value, at))

    def point_through(series: int, step: int, value: float, at: float) -> None:
        buffer, take = current
        offset = take()
        try:
            pack(buffer, offset, step, value, at, series, POINT)
        except bad_value:
            overflow(buffer, offset, (series, step, value, at))
        else:
            through(buffer, offset)  # type: ignore[misc]  # chosen only where given

    def switch(target: Target) -> None:
        nonlocal current
        current = target

    return (point if through is None else point_through), switch


def _encoded(event: dict[str, Any]) -> bytes | None:
    try:
        body = json.dumps(event, default=repr, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return body if len(body) <= _MAX_TEXT_BYTES else None
