"""Runs for panel tests, written through a real store's journal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from nbtrack.metric_names import goal_of
from nbtrack.store import Store
from nbtrack.store.values import utc_text

FIRST, SECOND = "0000000000001", "0000000000002"


def start_run(store: Store, run_id: str = FIRST, **fields: Any) -> None:
    """A running run of one cell."""
    event = {
        "kind": "run_started",
        "run": run_id,
        "name": "base",
        "experiment": "mnist",
        "started_at": utc_text(time.time()),
        "cell_id": "cell-a",
        "notebook": "a.ipynb",
        "source_digest": "d1",
    }
    store.journal.emit({**event, **fields})


def log_curve(
    store: Store,
    values: Sequence[float],
    *,
    metric: str = "loss",
    run_id: str = FIRST,
    axes: Mapping[str, Sequence[float]] | None = None,
    first_step: int = 0,
    at: float | None = None,
) -> None:
    """Points of one metric a second apart, with the values of its axes."""
    journal = store.journal
    series = journal.series(run_id, metric, goal=goal_of(metric))
    begin = time.time() if at is None else at
    columns = {
        journal.series(run_id, name, axis_of=metric): column
        for name, column in (axes or {}).items()
    }
    before: dict[int, float] = {}
    for i, value in enumerate(values):
        journal.point(series, first_step + i, value, begin + i)
        for axis, column in columns.items():
            if before.get(axis) != column[i]:
                before[axis] = column[i]
                journal.point(axis, first_step + i, column[i], begin + i)
    assert journal.flush()


def end_run(store: Store, run_id: str = FIRST, **fields: Any) -> None:
    """The run is over."""
    event = {"kind": "run_finished", "run": run_id, "status": "finished"}
    ended = {"ended_at": utc_text(time.time()), "duration_s": 2.0}
    store.journal.emit({**event, **ended, **fields})
    assert store.journal.flush()
