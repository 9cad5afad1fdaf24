"""Runs as JSON rows, in the words of the design; every number one that JSON has."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbtrack.analysis.comparing.wire import STAR
from nbtrack.analysis.runs_table import tag_texts
from nbtrack.records import MetricSummary, RunRecord
from nbtrack.text import shorten

MAX_METRICS = 50  # of one row; a run's own page shows them all
MAX_TAGS = 50
NAME_CHARS = 200
NOTES_CHARS = 200


def run_row(
    run: RunRecord, *, store: str = "", root: Path | None = None
) -> dict[str, Any]:
    """What a list of runs needs of one run.

    `store` is the id of its store, `root` the folder that the server shows.

    >>> record = RunRecord("0", "base", "mnist", "running", "2026-01-01", None, None)
    >>> run_row(record)["status"], run_row(record)["best"]
    ('running', None)
    """
    best = telling(run.metrics.values())
    return {
        "id": run.id,
        "store": store,
        "name": shorten(run.name, NAME_CHARS),
        "experiment": shorten(run.experiment, NAME_CHARS),
        "status": run.status,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_s": None if run.duration_s is None else finite(run.duration_s),
        "notebook": run.notebook,
        "notebook_path": _path_under(root, run.notebook),
        "cell_id": run.cell_id,
        "kernel_id": run.kernel_id,
        "starred": STAR in run.tags,
        "tags": tags_of(run)[:MAX_TAGS],
        "group": run.group,
        "parent": run.parent,
        "notes": shorten(run.notes, NOTES_CHARS),
        "grade": run.grade,
        "trashed": run.trashed_at is not None,
        "best": None if best is None else metric_row(best),
        "metrics": [metric_row(m) for m in list(run.metrics.values())[:MAX_METRICS]],
    }


def metric_row(metric: MetricSummary) -> dict[str, Any]:
    """The summary of one metric; what is not finite is null."""
    return {
        "name": metric.name,
        "goal": metric.goal,
        "n": metric.n,
        "last": finite(metric.last),
        "best": finite(metric.best),
        "best_step": metric.best_step,
    }


def tags_of(run: RunRecord) -> list[str]:
    """The tags as they are written, but the star, which is said on its own."""
    others = {name: value for name, value in run.tags.items() if name != STAR}
    return [shorten(text, NAME_CHARS) for text in tag_texts(others)]


def telling(metrics: Iterable[MetricSummary]) -> MetricSummary | None:
    """The one metric to show beside a name: judged by goal, on held-out data first."""
    judged = [metric for metric in metrics if metric.goal]
    held_out = [metric for metric in judged if "val" in metric.name.lower()]
    upward = [metric for metric in held_out or judged if metric.goal == "max"]
    return next(iter(upward or held_out or judged), None)


def finite(value: float) -> float | None:
    """A number that JSON has, else None."""
    return value if math.isfinite(value) else None


def _path_under(root: Path | None, notebook: str | None) -> str | None:
    """Where a notebook is for who sees nothing but the server's root; None outside."""
    if root is None or notebook is None or "\0" in notebook:
        return None
    return _resolved_under(root, notebook)


@lru_cache(maxsize=1_000)  # the same few notebooks, for each row of each answer
def _resolved_under(root: Path, notebook: str) -> str | None:
    path = Path(os.path.realpath(root / notebook))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None
