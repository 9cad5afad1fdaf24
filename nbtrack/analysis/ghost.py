"""The ghost: the best earlier run of the same cell, drawn in grey behind the curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbtrack.analysis.decimate import thin
from nbtrack.analysis.series_feed import SeriesFeed
from nbtrack.records import MetricSummary, RunRecord, is_better

if TYPE_CHECKING:
    from nbtrack.store import Store

GHOST_POINTS = 1_000  # of one grey curve: it is context, not data


def best_earlier_run(store: Store, run: RunRecord, metric: str) -> RunRecord | None:
    """The finished run of the same cell with the best `metric`; None if there is none.

    A cell is known by its id and notebook; where the front end gives no ids, by its
    source.
    """
    best: RunRecord | None = None
    for other in store.runs(experiment=run.experiment):
        if not _is_earlier(other, run) or not _has(other, metric):
            continue
        if best is None or _beats(other.metrics[metric], best.metrics[metric]):
            best = other
    return best


def ghost_series(store: Store, ghost: RunRecord, metric: str) -> SeriesFeed | None:
    """The grey curve of one metric; None when the earlier run has no such metric."""
    if metric not in ghost.metrics:
        return None
    curve = store.curve(ghost.id, metric)
    kept = thin(curve.values, GHOST_POINTS)

    def chosen(column: Sequence[float]) -> list[float]:
        return [column[i] for i in kept]

    steps, at = chosen(curve.steps), chosen(curve.at)
    feed = SeriesFeed(metric, ghost=True)
    feed.add(
        (steps, chosen(curve.values), at),
        {name: (steps, chosen(column), at) for name, column in curve.axes.items()},
    )
    return feed


def _is_earlier(other: RunRecord, run: RunRecord) -> bool:
    if other.id == run.id or other.started_at > run.started_at:
        return False
    return other.status in ("finished", "stopped") and _same_cell(other, run)


def _same_cell(other: RunRecord, run: RunRecord) -> bool:
    if run.cell_id and other.cell_id:
        return (other.cell_id, other.notebook) == (run.cell_id, run.notebook)
    return bool(run.source_digest) and other.source_digest == run.source_digest


def _has(run: RunRecord, metric: str) -> bool:
    return metric in run.metrics and math.isfinite(run.metrics[metric].best)


def _beats(new: MetricSummary, old: MetricSummary) -> bool:
    return new.goal is not None and is_better(new.best, old.best, new.goal)
