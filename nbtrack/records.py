"""Frozen values that pass between the floors: what a run, a param, a metric is.

Nothing here can write. `RunRecord` is what a reader gets; the live object that may
write is `nbtrack.tracking.Run`. Times are UTC: `*_at` as ISO 8601 text with
microseconds and `Z` (they sort as text), points as float seconds since the epoch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["running", "finished", "failed", "stopped", "crashed", "pruned"]
Goal = Literal["min", "max"]
Origin = Literal["option", "literal", "inherited", "object", "call"]

_MAX_WORDS = re.compile(
    r"acc|auc|f1|precision|recall|score|r2|iou|dice|bleu|rouge|reward|return|map\b|mrr|"
    r"ndcg|psnr|ssim|throughput|per_s\b|correct|success|win_rate|hit_rate",
    re.IGNORECASE,
)
_MIN_WORDS = re.compile(
    r"loss|err|cost|perplexity|ppl|mse|rmse|mae|mape|nll|wer|cer|fid|entropy|penalty|"
    r"regret|latency|duration|seconds|distance|divergence|\bkl\b",
    re.IGNORECASE,
)


def goal_of(name: str) -> Goal | None:
    """The direction in which a metric of this name gets better, by its name alone.

    >>> goal_of("val_loss"), goal_of("acc"), goal_of("lr")
    ('min', 'max', None)
    """
    # Loss words win: `acc_loss` and `score_error` are to be made small.
    if _MIN_WORDS.search(name):
        return "min"
    return "max" if _MAX_WORDS.search(name) else None


@dataclass(frozen=True, slots=True)
class Param:
    """One input of a run. `name` is dotted for nested values (`opt.lr`)."""

    name: str
    value: Any  # JSON-able: None, bool, int, float, str, list, dict
    origin: Origin
    cell: str | None = None  # "[3]": the execution that set it, for inherited params


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """What a table of runs needs of one metric, without touching its points."""

    name: str
    goal: Goal | None
    n: int
    last: float
    last_step: int
    min: float
    min_step: int
    max: float
    max_step: int
    n_nan: int = 0
    first_nan_step: int | None = None
    thinned: int = 1  # 1: every point kept; k: about one in k kept

    @property
    def best(self) -> float:
        """The best value by goal; the last one where no goal is known."""
        return {"min": self.min, "max": self.max}.get(self.goal or "", self.last)

    @property
    def best_step(self) -> int:
        """The first step at which `best` was reached."""
        steps = {"min": self.min_step, "max": self.max_step}
        return steps.get(self.goal or "", self.last_step)


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """A saved file of a run, tied to a step and to the metrics of that moment."""

    name: str
    version: int
    type: str
    digest: str
    size_bytes: int
    path: str
    step: int | None
    metrics: Mapping[str, float]
    created_at: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it stands in the store."""

    id: str
    name: str
    experiment: str
    status: Status
    started_at: str
    ended_at: str | None
    duration_s: float | None
    group: str | None = None
    parent: str | None = None
    notes: str = ""
    notebook: str | None = None
    cell_id: str | None = None
    kernel_id: str | None = None  # of the Jupyter kernel it ran in
    execution: int | None = None
    source: str | None = None
    source_digest: str | None = None
    error: str | None = None
    reason: str | None = None  # why it ended, in a few words: "Stop pressed"
    trashed_at: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    params: Mapping[str, Param] = field(default_factory=dict)  # by dotted name
    metrics: Mapping[str, MetricSummary] = field(default_factory=dict)
    checkpoints: tuple[CheckpointRecord, ...] = ()


def is_better(new: float, old: float, goal: Goal) -> bool:
    """Whether `new` beats `old`; NaN never does, anything beats NaN.

    >>> is_better(0.2, 0.3, "min"), is_better(float("nan"), 0.3, "min")
    (True, False)
    """
    if math.isnan(new):
        return False
    if math.isnan(old):
        return True
    return new < old if goal == "min" else new > old
