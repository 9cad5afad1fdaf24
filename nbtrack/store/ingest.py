"""Moves slots of one session from its journal into the tables, exactly once.

The position reached is committed in the same transaction as the data, so it does not
matter how often this stops half-way or who goes on: the living writer and the recovery
of a dead session are this same code. Few statements per batch, whatever the number of
points: each one hands the GIL over twice.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from nbtrack.guard import guard
from nbtrack.store.alert_rows import insert_alert
from nbtrack.store.alert_watch import AlertWatch, alert_crashed
from nbtrack.store.chunks import Columns, pack
from nbtrack.store.columns import columns_by_series, slots_marked
from nbtrack.store.database import Database
from nbtrack.store.events import apply_or_put_aside
from nbtrack.store.segments import EVENT, SLOT, Segment
from nbtrack.store.summary import Summary, summary_with
from nbtrack.store.values import iso

_YEAR_3000 = 32_503_680_000.0
# After these a power cut loses nothing: the end of a run, and what names kept files.
_DURABLE = frozenset({"run_finished", "artifact", "checkpoint"})
_ROWS_PER_STATEMENT = 500  # of nine parameters each: SQLite takes 32,766


class Ingest:
    """The receiving end of one session's journal; used by one thread."""

    def __init__(
        self, database: Database, session: str, *, is_recovery: bool = False
    ) -> None:
        self.database = database
        self._is_recovery = is_recovery  # then time is the points' time, not now
        self.session = session
        self.segment = 1  # the position up to which everything is committed
        self.slot = 1
        self.holes: list[tuple[int, int]] = []  # passed while empty, looked at again
        self.n_refused = 0  # points of runs that are no longer in the store
        self.touched: dict[int, int] = {}  # metric -> chunks since it was compacted
        self.finished: list[str] = []  # runs to compact
        self.watch = AlertWatch(database.connection, session)
        self._known: dict[int, tuple[int, Summary]] = {}

    def begin(self, facts: dict[str, Any]) -> None:
        """Enter the session, or read how far an earlier life of it came."""
        with self.database.write():
            self.database.connection.execute(
                "insert or ignore into sessions(id, pid, host, started_at)"
                " values (?, ?, ?, ?)",
                (
                    self.session,
                    facts.get("pid"),
                    facts.get("host"),
                    iso(facts.get("started_at")) or iso(time.time()),
                ),
            )
            row = self.database.connection.execute(
                "select segment, slot, holes from sessions where id = ?",
                (self.session,),
            ).fetchone()
        self.segment, self.slot = row[0], row[1]
        self.holes = [(hole[0], hole[1]) for hole in json.loads(row[2])]

    def take(
        self,
        raw: bytes,
        source: Segment,
        position: tuple[int, int],
        holes: list[tuple[int, int]],
    ) -> None:
        """Commit these slots of `source` together with the position behind them."""
        self.take_said(
            events_in(raw, source),
            list(columns_by_series(raw)),
            position=position,
            holes=holes,
        )

    def take_said(
        self,
        events: list[dict[str, Any]],
        points: list[tuple[int, Columns]],
        *,
        position: tuple[int, int],
        holes: list[tuple[int, int]],
    ) -> None:
        """Commit what was said, together with the position behind it."""
        durable = any(e.get("kind") in _DURABLE for e in events)
        with self.database.write(durable=durable):
            self.watch.begin()
            for event in events:
                apply_or_put_aside(
                    self.database.connection, event, session=self.session
                )
                self.watch.heard(event)
            fresh = self._insert_points(points)
            self.database.connection.execute(
                "update sessions set segment = ?, slot = ?, holes = ?,"
                " seen_at = coalesce(?, seen_at) where id = ?",
                (*position, json.dumps(holes), self._seen_at(points), self.session),
            )
        self._committed(events, fresh, position, holes)

    def look_for_stalls(self) -> None:
        """Write down which of its runs have had no new point for too long."""
        found = self.watch.overdue(time.time())
        if found:
            with self.database.write(wait_s=0.5):
                for alert in found:
                    insert_alert(self.database.connection, alert)
            self.watch.raised += found

    def end(self) -> None:
        """Close the session in the tables: its runs that still ran have crashed."""
        settle_session(self.database, self.session, now=iso(time.time()))

    def _seen_at(self, points: list[tuple[int, Columns]]) -> str | None:
        if not self._is_recovery:
            return iso(time.time())
        latest = max((columns.at[-1] for _, columns in points), default=0.0)
        return iso(latest) if 0.0 < latest < _YEAR_3000 else None

    def _committed(
        self,
        events: list[dict[str, Any]],
        fresh: dict[int, tuple[int, Summary]],
        position: tuple[int, int],
        holes: list[tuple[int, int]],
    ) -> None:
        self._known.update(fresh)
        self.watch.committed()
        self.segment, self.slot = position
        self.holes = holes
        for metric, _ in fresh.values():
            self.touched[metric] = self.touched.get(metric, 0) + 1
        for event in events:
            if event.get("kind") == "run_finished":
                self.finished.append(str(event.get("run")))

    def _insert_points(
        self, points: list[tuple[int, Columns]]
    ) -> dict[int, tuple[int, Summary]]:
        """Insert chunks and summaries; a purged run's points are left out."""
        if not points:
            return {}
        self.database.connection.execute("savepoint points")
        try:
            fresh = self._insert_known(points)
        except sqlite3.IntegrityError:
            # A run was purged since its series were looked up: look again.
            self.database.connection.execute("rollback to points")
            self._known.clear()
            self.watch.forget()
            fresh = self._insert_known(points)
        self.database.connection.execute("release points")
        return fresh

    def _insert_known(
        self, points: list[tuple[int, Columns]]
    ) -> dict[int, tuple[int, Summary]]:
        fresh: dict[int, tuple[int, Summary]] = {}
        chunks: list[tuple[Any, ...]] = []
        for series, columns in points:
            found = fresh.get(series) or self._lookup(series)
            if found is None:
                self.n_refused += len(columns.values)
                guard.warn_once(
                    "points without a run", "points of a purged run came in"
                )
                continue
            metric, before = found
            chunks.append((metric, before.n, len(columns.values), pack(columns)))
            after = summary_with(before, columns)
            self.watch.saw(series, columns, before=before, after=after)
            fresh[series] = (metric, after)
        self._write_chunks(chunks)
        self._write_summaries(
            [(metric, *summary.row()) for metric, summary in fresh.values()]
        )
        return fresh

    def _lookup(self, series: int) -> tuple[int, Summary] | None:
        if series in self._known:
            return self._known[series]
        row = self.database.connection.execute(
            """
            select metrics.id, n, last, last_step, min, min_step, max, max_step, n_nan,
              first_nan_step
            from series join metrics on metrics.id = series.metric
            where session = ? and series = ?
            """,
            (self.session, series),
        ).fetchone()
        return None if row is None else (row[0], Summary.from_row(row[1:]))

    def _write_chunks(self, rows: list[tuple[Any, ...]]) -> None:
        for some in _slices(rows):
            marks = ", ".join(["(?, ?, ?, ?)"] * len(some))
            self.database.connection.execute(
                f"insert into chunks(metric, start, n, body) values {marks}",  # noqa: S608 - marks only
                _flat(some),
            )

    def _write_summaries(self, rows: list[tuple[Any, ...]]) -> None:
        for some in _slices(rows):
            marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(some))
            self.database.connection.execute(
                f"""
                update metrics set n = new.column2, last = new.column3,
                  last_step = new.column4, min = new.column5, min_step = new.column6,
                  max = new.column7, max_step = new.column8, n_nan = new.column9,
                  first_nan_step = new.column10
                from (values {marks}) as new where metrics.id = new.column1
                """,  # noqa: S608 - marks only
                _flat(some),
            )


def settle_session(database: Database, session: str, *, now: str | None) -> None:
    """Mark a session as over, inside the caller's transaction."""
    alert_crashed(database.connection, session)
    execute = database.connection.execute
    execute(
        """
        update runs set status = 'crashed', reason = coalesce(reason, 'process gone'),
          ended_at = seen,
          duration_s = coalesce(
            (select before_s + max(0, julianday(seen) - julianday(lives.started_at))
               * 86400 from lives where run = runs.id and lives.session = runs.session),
            (julianday(seen) - julianday(started_at)) * 86400)
        from (select coalesce(seen_at, started_at) as seen from sessions where id = ?)
        where session = ? and status = 'running'
        """,
        (session, session),
    )
    execute(
        "update sessions set ended_at = coalesce(ended_at, ?) where id = ?",
        (now, session),
    )
    execute("delete from series where session = ?", (session,))


def events_in(raw: bytes, source: Segment) -> list[dict[str, Any]]:
    """The events among these slots of a segment."""
    events = []
    for slot in slots_marked(raw, EVENT):
        offset, _, _, length, _ = SLOT.unpack(slot)
        with guard("reading an event of the journal"):
            events.append(json.loads(source.text_at(offset, length)))
    return [event for event in events if isinstance(event, dict)]


def _slices(rows: list[tuple[Any, ...]]) -> Iterable[list[tuple[Any, ...]]]:
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        yield rows[start : start + _ROWS_PER_STATEMENT]


def _flat(rows: list[tuple[Any, ...]]) -> list[Any]:
    return [value for row in rows for value in row]
