"""The one writer thread of a process and store: journal to tables, every 200 ms.

It never gives up: when the store is locked or the disk is full the points stay in the
journal and it tries again, with one warning. Only a store that was deleted ends it:
from then on points are counted as dropped, and the training goes on.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from nbtrack.guard import guard
from nbtrack.store.columns import points_only
from nbtrack.store.compact import JOIN_AFTER, compact_metric, compact_run
from nbtrack.store.controls import Controls
from nbtrack.store.database import Database, code_of
from nbtrack.store.ingest import Ingest, events_in
from nbtrack.store.journal import Journal
from nbtrack.store.liveness import SessionLock
from nbtrack.store.process import PROCESS
from nbtrack.store.reading import written, written_later
from nbtrack.store.segments import POINT, Segment

DRAIN_S = 0.2
_TURN_S = 0.2  # of one turn in a flood: commands must not wait for its end
_WARN_AFTER_S = 5.0
_STALL_EVERY_S = 0.5
_HOLE_WAIT_S = 0.1  # a thread between two bytecodes; twice, see `_pass_hole`
_HOLE_KEEP_S = 5.0
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class Writer:
    """Owns the writing connection; runs until it is told when to stop."""

    def __init__(
        self,
        journal: Journal,
        connect: Callable[[], Database],
        *,
        lock: SessionLock | None,
        facts: dict[str, Any],
        stop_by: Callable[[], float | None],
    ) -> None:
        self._journal = journal
        self._connect = connect
        self._lock = lock
        self._facts = facts
        self._stop_by = stop_by
        self._failing_since: float | None = None
        self._ingest: Ingest | None = None
        self._controls: Controls | None = None
        self._hole: tuple[int, int, float, int] | None = None
        self._drained: list[tuple[float, Segment]] = []
        self._stalls_at = 0.0
        self._has_more = False  # the turn was cut short: go on at once
        self._is_complete = False  # everything that was said is committed

    def run(self) -> bool:
        """Drain until stopped; whether everything was committed by then."""
        while not self._journal.is_gone:
            stop_by = self._stop_by()
            self._journal.wake.clear()
            self._is_complete = self._turn()
            if stop_by is not None and (
                self._is_complete or stop_by < time.monotonic()
            ):
                break
            self._pause()
        self._close()
        return self._is_complete

    def _pause(self) -> None:
        if self._has_more:
            return
        if self._is_complete:
            self._journal.wake.wait(DRAIN_S)
        else:  # whoever waits in flush() must not make this a busy loop
            time.sleep(DRAIN_S if self._stop_by() is None else DRAIN_S / 10)

    def _turn(self) -> bool:
        """One drain; False where it could not be done now, or not to the end."""
        self._has_more = False
        with guard("the writer"):
            try:
                with PROCESS.gate.inside():
                    done = self._drain_all()
            except (sqlite3.Error, OSError) as exc:
                self._failed(exc)
            else:
                self._failing_since = None
                return done
        return False

    def _drain_all(self) -> bool:
        if self._ingest is None:
            self._begin()
        ingest = self._ingest
        if ingest is None:
            return False
        if ingest.database.is_gone():
            self._store_is_gone()
            return True
        self._journal.try_again()
        self._has_more = self._drain_a_while(ingest)
        self._late_slots(ingest)
        self._after(ingest)
        return not self._has_more

    def _drain_a_while(self, ingest: Ingest) -> bool:
        """Take what is there; True where the time was up before the slots were."""
        until = time.monotonic() + _TURN_S
        while self._drain_once(ingest):
            if time.monotonic() > until:
                return True
        return False

    def _begin(self) -> None:
        database = self._connect()
        ingest = Ingest(database, self._journal.session)
        ingest.begin(self._facts)
        self._controls = Controls(database, self._journal)
        self._ingest = ingest

    def _drain_once(self, ingest: Ingest) -> bool:
        """Take one batch; False where nothing more can be taken now."""
        segment = self._journal.segment_at(ingest.segment)
        if segment is None:
            return False
        if segment.number > ingest.segment:
            ingest.segment, ingest.slot = segment.number, 1
        is_last = self._journal.is_current(segment)
        if ingest.slot >= segment.end:
            return not is_last and self._next_segment(ingest, segment)
        found = written(segment, ingest.slot, is_last=is_last)
        if found.stop > found.start:
            raw = segment.raw(found.start, found.stop)
            position = (segment.number, found.stop)
            self._take(ingest, raw, segment, position=position, holes=ingest.holes)
            self._journal.advanced(position)
            return True
        return found.has_hole and self._pass_hole(ingest, segment)

    def _take(
        self,
        ingest: Ingest,
        raw: bytes,
        segment: Segment,
        *,
        position: tuple[int, int],
        holes: list[tuple[int, int]],
    ) -> None:
        ingest.take(raw, segment, position, holes)
        self._tell_alerts(ingest)
        if self._journal.follower is not None:
            with guard("telling what was recorded"):
                self._journal.follower(events_in(raw, segment), points_only(raw))

    def _tell_alerts(self, ingest: Ingest) -> None:
        """Tell each alert once it stands, before who waits for the commit goes on."""
        while ingest.watch.raised:
            alert = ingest.watch.raised.pop(0)
            if self._journal.on_alert is not None:
                with guard("telling of an alert"):
                    self._journal.on_alert(alert)

    def _next_segment(self, ingest: Ingest, segment: Segment) -> bool:
        ingest.segment, ingest.slot = segment.number + 1, 1
        self._journal.advanced((ingest.segment, 1))
        self._drained.append((time.monotonic(), segment))
        return True

    def _pass_hole(self, ingest: Ingest, segment: Segment) -> bool:
        """Pass an empty slot that stayed empty over two looks, a while apart."""
        place, now = (segment.number, ingest.slot), time.monotonic()
        if self._hole is None or self._hole[:2] != place:
            self._hole = (*place, now, 1)
            return False
        _, _, seen_at, n_seen = self._hole
        if now - seen_at < _HOLE_WAIT_S * n_seen:
            return False
        if n_seen < 2:
            self._hole = (*place, seen_at, 2)
            return False
        ingest.holes = [*ingest.holes, place]
        ingest.slot += 1
        return True

    def _late_slots(self, ingest: Ingest) -> None:
        """Take passed slots that were written after all, and let segments go."""
        for segment in list(self._journal.segments):
            for slot in written_later(segment, ingest.holes):
                holes = [h for h in ingest.holes if h != (segment.number, slot)]
                here = (ingest.segment, ingest.slot)
                raw = segment.raw(slot, slot + 1)
                self._take(ingest, raw, segment, position=here, holes=holes)
        now = time.monotonic()
        for drained_at, segment in list(self._drained):
            mine = [h for h in ingest.holes if h[0] == segment.number]
            if not mine or now - drained_at > _HOLE_KEEP_S or self._stop_by():
                ingest.holes = [h for h in ingest.holes if h not in mine]
                self._drained.remove((drained_at, segment))
                self._journal.retire(segment)

    def _after(self, ingest: Ingest) -> None:
        """What can wait: lost points, commands, stalls, compaction, the heartbeat."""
        if ingest.n_refused:
            self._journal.lose(ingest.n_refused)
            ingest.n_refused = 0
        if self._controls is not None:
            self._controls.poll()
        if time.monotonic() - self._stalls_at > _STALL_EVERY_S:
            self._stalls_at = time.monotonic()
            ingest.look_for_stalls()
            self._tell_alerts(ingest)
        if self._lock is not None:
            self._lock.beat()
        self._compact(ingest)

    def _compact(self, ingest: Ingest) -> None:
        if ingest.finished:  # who purges them later cannot reach into this process
            self._journal.turn_over()
        while ingest.finished:
            compact_run(ingest.database, ingest.finished[0])
            del ingest.finished[0]
        for metric, n in list(ingest.touched.items()):
            if n >= JOIN_AFTER:
                compact_metric(ingest.database, metric)
                ingest.touched[metric] = 1

    def _failed(self, exc: sqlite3.Error | OSError) -> None:
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        if self._ingest is not None and self._ingest.database.is_gone():
            self._store_is_gone()
        elif isinstance(exc, sqlite3.Error) and code_of(exc) in _DAMAGED:
            # Never write to a damaged file; the journal stays for a later opener.
            self._give_up(
                f"the store is damaged ({exc}): nothing more is written to it"
            )
        elif isinstance(exc, sqlite3.Error) and code_of(exc) in _LOCKED:
            if now - self._failing_since >= _WARN_AFTER_S:
                guard.warn_once(
                    "store locked",
                    "another process has locked the store: points wait in the journal",
                )
        else:
            guard.warn_once(
                "store not written",
                f"the store cannot be written now ({exc}): points wait in the journal",
            )

    def _store_is_gone(self) -> None:
        self._give_up("the store was deleted or moved: what is logged now is not kept")

    def _give_up(self, message: str) -> None:
        guard.warn_once("store gone", message)
        self._journal.end(gone=True)
        if self._ingest is not None:
            self._journal.lose(self._n_waiting(self._ingest))

    def _n_waiting(self, ingest: Ingest) -> int:
        """Points that were taken in but will never be committed."""
        here = (ingest.segment, ingest.slot)
        return sum(
            segment.marks(here[1] if segment.number == here[0] else 1, segment.end)
            .count(POINT)
            for segment in list(self._journal.segments)
            if segment.number >= here[0]
        )  # fmt: skip

    def _close(self) -> None:
        if self._ingest is None:
            return
        if self._is_complete and not self._journal.is_gone:
            write = self._ingest.database.write(wait_s=1.0)
            with guard("closing the session"), write:
                self._ingest.end()
        self._ingest.database.close()
