"""Saved checkpoints as marks on curves: where they stand, and the line that loads one.

The mirror of `labextension/src/shared/marks.ts`. A metric counts its own steps, so a
checkpoint finds its point by the very value that was saved with it, else by its time.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Sequence

from nbtrack.analysis.wire import CheckpointMeta
from nbtrack.metric_names import judges
from nbtrack.records import CheckpointRecord, RunRecord
from nbtrack.store.values import epoch_s

MARKS_MAX = 300  # of one run, the newest
METRICS_MAX = 6  # numbers beside one
_NO_MARKS = ("dataset", "file")


def marks_of(record: RunRecord) -> list[CheckpointMeta]:
    """The checkpoints of a run that stand on its curves, in the order of saving."""
    return [_mark(saved) for saved in _saved(record)[-MARKS_MAX:]]


def n_marks(record: RunRecord) -> int:
    """How many checkpoints the run saved at a step, those that are no marks included.

    >>> n_marks(RunRecord("1", "base", "x", "finished", "2026", None, None))
    0
    """
    return len(_saved(record))


def mark_key(mark: CheckpointMeta) -> str:
    """By what a mark is known: the same bytes may be saved at several steps."""
    return f"{mark['name']}:v{mark['version']}@{mark['step']}"


def mark_index(
    mark: CheckpointMeta,
    metric: str,
    *,
    steps: Sequence[float],
    values: Sequence[float],
    at: Sequence[float],
) -> int | None:
    """The point of a curve at which it was saved; None before the first.

    >>> mark = CheckpointMeta(name="mlp", version=0, step=1, at=5.0, gone=None,
    ...                       metrics={"loss": 0.2})
    >>> mark_index(mark, "loss", steps=[0, 1, 2], values=[1, 0.2, 3], at=[7, 8, 9])
    1
    >>> mark_index(mark, "batch", steps=[0, 1, 2], values=[4, 4, 4], at=[4, 5, 6])
    1
    """
    place = bisect_right(steps, mark["step"]) - 1
    is_there = place >= 0 and steps[place] == mark["step"]
    if is_there and mark["metrics"].get(metric) == values[place]:
        return place
    by_time = bisect_right(at, mark["at"]) - 1
    found = by_time if by_time >= 0 else place
    return found if found >= 0 else None


def load_line(run_id: str, step: int, name: str) -> str:
    """Python that loads the checkpoint which a run saved at a step.

    >>> load_line("06avb", 40, "mlp")
    'nbtrack.load_checkpoint("06avb", step=40, name="mlp")'
    """
    run, quoted = (json.dumps(text, ensure_ascii=False) for text in (run_id, name))
    return f"nbtrack.load_checkpoint({run}, step={step}, name={quoted})"


def _saved(record: RunRecord) -> list[CheckpointRecord]:
    every = record.checkpoints
    return [c for c in every if c.step is not None and c.type not in _NO_MARKS]


def _mark(saved: CheckpointRecord) -> CheckpointMeta:

    names = dict.fromkeys([*judges(saved.metrics), *saved.metrics])
    numbers = {name: saved.metrics[name] for name in names}
    shown = [(name, value) for name, value in numbers.items() if _is_sent(value)]
    return {
        "name": saved.name,
        "version": saved.version,
        "step": saved.step or 0,
        "at": epoch_s(saved.created_at),
        "metrics": dict(shown[:METRICS_MAX]),
        "gone": (saved.gone_why or "gone") if saved.gone_at else None,
    }


def _is_sent(value: object) -> bool:
    """Whether it is a number that JSON has: another would lose the whole frame."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int)
