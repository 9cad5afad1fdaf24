"""Runs as JSON rows, in the words of the design; every number one that JSON has."""

from __future__ import annotations

import math
from typing import Any

from nbtrack.records import MetricSummary, RunRecord

MAX_METRICS = 50  # of one row; a run's own page shows them all


def run_row(run: RunRecord) -> dict[str, Any]:
    """What the list of runs and the plugin need of one run.

    >>> record = RunRecord("0", "base", "mnist", "running", "2026-01-01", None, None)
    >>> run_row(record)["status"], run_row(record)["best"]
    ('running', None)
    """
    best = _telling(run)
    return {
        "id": run.id,
        "name": run.name,
        "experiment": run.experiment,
        "status": run.status,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_s": run.duration_s,
        "notebook": run.notebook,
        "cell_id": run.cell_id,
        "kernel_id": run.kernel_id,
        "best": None if best is None else metric_row(best),
        "metrics": [metric_row(m) for m in list(run.metrics.values())[:MAX_METRICS]],
    }


def metric_row(metric: MetricSummary) -> dict[str, Any]:
    """The summary of one metric; what is not finite is null."""
    return {
        "name": metric.name,
        "goal": metric.goal,
        "n": metric.n,
        "last": _finite(metric.last),
        "best": _finite(metric.best),
        "best_step": metric.best_step,
    }


def _telling(run: RunRecord) -> MetricSummary | None:
    """The one metric to show beside a name: judged by goal, on held-out data first."""
    judged = [metric for metric in run.metrics.values() if metric.goal]
    held_out = [metric for metric in judged if "val" in metric.name.lower()]
    upward = [metric for metric in held_out or judged if metric.goal == "max"]
    return next(iter(upward or held_out or judged), None)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
