"""Follows one run for one viewer: what a live panel has, and what it lacks.

`RunFeed` reads the store and nothing else, so the notebook's widget and the server
share it: any process can follow any run. It is not thread safe: one feed, one thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.alerts import alerts_of
from nbtrack.analysis.decimate import POINTS_MAX
from nbtrack.analysis.families import headline
from nbtrack.analysis.ghost import best_earlier_run, ghost_series
from nbtrack.analysis.marks import mark_key, marks_of, n_marks
from nbtrack.analysis.progress import ProgressMeter, bound_by_param
from nbtrack.analysis.series_feed import SeriesFeed, Triple
from nbtrack.analysis.wire import (
    AlertMeta,
    CheckpointMeta,
    FrameHead,
    GhostMeta,
    GradeMeta,
    MetricMeta,
    RunMeta,
    SeriesDelta,
    as_json,
)
from nbtrack.metric_names import colour_of, place_of, split_role
from nbtrack.records import MetricSummary, RunRecord
from nbtrack.store.values import epoch_s

if TYPE_CHECKING:
    from nbtrack.store import Store

METRICS_MAX = 200  # of one panel; the rest is in the store and in tables
MARKS_PER_FRAME = 60  # some 8 KB
ERROR_CHARS = 300
Totals = Mapping[str, int] | Callable[[], Mapping[str, int]] | None
_NOTHING: Triple = ((), (), ())


class RunFeed:
    """What one viewer has of one run.

    Parameters
    ----------
    store : Store
        Where the run is; only read.
    run_id : str
        The full id.
    totals : mapping or callable, optional
        Declared bounds of loops by the name of their axis, or what returns them; it is
        asked for each frame. Params called `epoch` or `n_epochs` serve where the bound
        of an `epoch` loop is not known.
    points : int
        At most so many of one curve.

    Examples
    --------
    >>> from nbtrack.store import Store                            # doctest: +SKIP
    >>> feed = RunFeed(Store.open(), run_id)                       # doctest: +SKIP
    >>> first, later = feed.json_frame(full=True), feed.json_frame()  # doctest: +SKIP
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        *,
        totals: Totals = None,
        points: int = POINTS_MAX,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._totals = {} if totals is None else totals
        self._points = points
        self._clock = clock
        self._cursor: Any = None  # the store's own business
        self._series: dict[str, SeriesFeed] = {}
        self._ghosts: dict[str, SeriesFeed | None] = {}
        self._ghost: RunRecord | None = None
        self._ghost_by: str | None = None  # the metric by which it was chosen
        self._told: dict[str, MetricMeta] = {}
        self._marked: object = None  # the checkpoints that were looked at last
        self._waiting: dict[str, CheckpointMeta] = {}
        self._told_marks: dict[str, CheckpointMeta] = {}
        self._told_alerts: set[str] = set()
        self._meter: ProgressMeter | None = None
        self._needs_full = True
        self.record: RunRecord | None = None

    def advance(self) -> bool:
        """Read what is new in the store; whether anything was."""
        tail = self._store.tail(self._run_id, self._cursor)
        before, self.record, self._cursor = self.record, tail.run, tail.cursor
        self._meter = self._meter or ProgressMeter(epoch_s(tail.run.started_at))
        for metric in dict.fromkeys([*tail.points, *tail.axes]):
            columns = tail.points.get(metric, _NOTHING)
            self._take(metric, columns, tail.axes.get(metric, {}))
        return bool(tail.points or tail.axes) or before != tail.run

    def frame(self, *, full: bool = False) -> tuple[RunMeta, list[SeriesDelta], bool]:
        """The header, what the viewer lacks, and whether it must start over."""
        record = self.require()
        self._look_for_ghost(record)
        full, self._needs_full = full or self._needs_full, False
        if full:
            self._told.clear()
            self._told_marks.clear()
            self._told_alerts.clear()
            self._marked = None
        feeds = [*self._series.values(), *filter(None, self._ghosts.values())]
        deltas = [feed.delta(full=full) for feed in feeds]
        return self._meta(record), [delta for delta in deltas if delta], full

    def json_frame(self, *, full: bool = False) -> FrameHead:
        """Advance, and give the frame as one JSON-able value."""
        self.advance()
        run, deltas, is_full = self.frame(full=full)
        return as_json(run, deltas, full=is_full)

    def _take(self, metric: str, points: Triple, axes: Mapping[str, Triple]) -> None:
        if metric not in self._series:
            if len(self._series) >= METRICS_MAX:
                return
            self._series[metric] = SeriesFeed(metric, most=self._points)
        self._series[metric].add(points, axes)
        if self._meter is not None:
            for axis, (_, values, at) in axes.items():
                self._meter.see(metric, axis, values, at)

    def _look_for_ghost(self, record: RunRecord) -> None:
        names = headline(record.metrics.values())
        if names and names[0] != self._ghost_by:
            self._ghost_by = names[0]
            self._ghost = best_earlier_run(self._store, record, names[0])
            # The grey curves of another choice must go.
            self._needs_full |= bool(self._ghosts)
            self._ghosts.clear()
        if self._ghost is not None:
            for metric in self._series.keys() - self._ghosts.keys():
                self._ghosts[metric] = ghost_series(self._store, self._ghost, metric)

    def _meta(self, record: RunRecord) -> RunMeta:
        started_at, now = epoch_s(record.started_at), self._clock()
        meter = self._meter or ProgressMeter(started_at)
        totals = self._all_totals(record, meter)
        is_running = record.status == "running"
        elapsed_s = now - started_at if is_running else record.duration_s
        return {
            "id": record.id,
            "name": record.name,
            "status": record.status,
            "stopping": False,
            "started_at": started_at,
            "elapsed_s": elapsed_s or 0.0,
            "eta_s": meter.eta_s(totals, now) if is_running else None,
            "progress": meter.progress(totals),
            "headline": headline(record.metrics.values()),
            "error": record.error[-ERROR_CHARS:] if record.error else None,
            "reason": record.reason,
            "grade": _grade_meta(record),
            "ghost": _ghost_meta(self._ghost),
            "system": None,
            "metrics": self._changed_metrics(record),
            "checkpoints": self._changed_marks(record),
            "n_checkpoints": n_marks(record),
            "alerts": self._new_alerts(record),
        }

    def _changed_metrics(self, record: RunRecord) -> list[MetricMeta]:
        changed = []
        for summary in list(record.metrics.values())[:METRICS_MAX]:
            meta = metric_meta(summary)
            if self._told.get(summary.name) != meta:
                self._told[summary.name] = meta
                changed.append(meta)
        return changed

    def _new_alerts(self, record: RunRecord) -> list[AlertMeta]:
        every = alerts_of(record)
        new = [alert for alert in every if alert["key"] not in self._told_alerts]
        self._told_alerts = {alert["key"] for alert in every}
        return new

    def _changed_marks(self, record: RunRecord) -> list[CheckpointMeta]:
        """A part of them a frame, so that its header stays small."""
        if self._marked is not record.checkpoints:
            self._marked = record.checkpoints
            marks = [(mark_key(mark), mark) for mark in marks_of(record)]
            told = self._told_marks
            self._waiting = {key: m for key, m in marks if told.get(key) != m}
        keys = list(self._waiting)[:MARKS_PER_FRAME]
        part = {key: self._waiting.pop(key) for key in keys}
        self._told_marks |= part
        return list(part.values())

    def _all_totals(self, record: RunRecord, meter: ProgressMeter) -> dict[str, int]:
        declared = self._totals() if callable(self._totals) else self._totals
        by_param = {
            axis: bound
            for axis in meter.axes()
            if (bound := bound_by_param(axis, record.params)) is not None
        }
        return {**by_param, **declared}

    def require(self) -> RunRecord:
        """The run as last read; reads it when that has not happened."""
        if self.record is None:
            self.advance()
        assert self.record is not None  # advance() sets it or raises
        return self.record


def metric_meta(summary: MetricSummary) -> MetricMeta:
    """What the panel says of one metric."""
    family, role = split_role(summary.name)
    is_known = math.isfinite(summary.best)
    return {
        "name": summary.name,
        "family": family,
        "role": role,
        "place": place_of(role),
        "colour": colour_of(role),
        "goal": summary.goal,
        "n": summary.n,
        "best": summary.best if is_known else None,
        "best_step": summary.best_step if is_known else None,
        "thinned": summary.thinned,
        "n_nan": summary.n_nan,
        "first_nan_step": summary.first_nan_step,
    }


def _grade_meta(record: RunRecord) -> GradeMeta | None:
    if record.grade is None:
        return None
    return {"letter": record.grade, "why": (record.grade_why or "").splitlines()}


def _ghost_meta(ghost: RunRecord | None) -> GhostMeta | None:
    if ghost is None:
        return None
    started_at = epoch_s(ghost.started_at)
    return {"id": ghost.id, "name": ghost.name, "started_at": started_at}
