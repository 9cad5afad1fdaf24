"""The results of a run in numbers: every point of every series, and what came of them.

A series is written so that its doubles come back as they were, and has a digest by
which a rerun is compared without its points.
"""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.bundles.contents.json_text import finite, line_bytes
from nbtrack.slices.compare import is_timing

if TYPE_CHECKING:
    from nbtrack.records import MetricSummary, RunRecord
    from nbtrack.store import Store
    from nbtrack.store.curves import Curve


def metrics_lines(store: Store, record: RunRecord) -> bytes:
    """`results/metrics.jsonl`: one line for each series, in the order of the run.

    Values that JSON has no number for stand as "NaN", "Infinity" and "-Infinity", all
    others as Python's repr, so that `float()` gives back each of them, and -0.0 too.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log(loss=float("nan"))
    >>> b'"values":["NaN"]' in metrics_lines(run.store, run.record())
    True
    """
    return b"".join(
        line_bytes(_line(summary, store.curve(record.id, name)))
        for name, summary in record.metrics.items()
    )


def expected(
    store: Store, record: RunRecord, checkpoints: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """`results/expected.json`: what a rerun has to give.

    Parameters
    ----------
    store, record
        The run.
    checkpoints
        As `checkpoint_members` gave them.

    Returns
    -------
    dict
        `metrics` by name: `goal, n, last, min, max, best, best_step, series_sha256,
        timing`, where `n` counts the points of `results/metrics.jsonl`, and a number
        that is not finite is None; `checkpoints`.

    Examples
    --------
    >>> import nbtrack
    >>> with nbtrack.start("base") as run:
    ...     run.log(loss=0.5)
    >>> expected(run.store, run.record(), [])["metrics"]["loss"]["last"]
    0.5
    """
    metrics = {
        name: _result(summary, store.curve(record.id, name))
        for name, summary in record.metrics.items()
    }
    return {"metrics": metrics, "checkpoints": [dict(one) for one in checkpoints]}


def series_sha256(steps: Sequence[int], values: Sequence[float]) -> str:
    """The digest of a series: its steps as int64, then its values as float64.

    Little endian. All NaN count as the same one, as in a comparison; 0.0 and -0.0 are
    two values.

    Examples
    --------
    >>> series_sha256([0], [0.0]) == series_sha256([0], [-0.0])
    False
    >>> series_sha256([0], [float("nan")]) == series_sha256([0], [-float("nan")])
    True
    """
    plain = array("d", (math.nan if value != value else value for value in values))
    columns: tuple[array[Any], ...] = (array("q", steps), plain)
    digest = hashlib.sha256()
    for column in columns:
        if sys.byteorder == "big":
            column.byteswap()
        digest.update(column.tobytes())
    return digest.hexdigest()


def _line(summary: MetricSummary, curve: Curve) -> dict[str, Any]:
    return {
        "metric": summary.name,
        "goal": summary.goal,
        "thinned": summary.thinned,
        "timing": is_timing(summary.name),
        "steps": list(curve.steps),
        "values": _words(curve.values),
        "at": _words(curve.at),
        "axes": {name: _words(column) for name, column in curve.axes.items()},
    }


def _words(values: Iterable[float]) -> list[float | str]:
    return [value if math.isfinite(value) else _word(value) for value in values]


def _word(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _result(summary: MetricSummary, curve: Curve) -> dict[str, Any]:
    found: dict[str, Any] = finite(
        {
            "goal": summary.goal,
            "n": len(curve),
            "last": summary.last,
            "min": summary.min,
            "max": summary.max,
            "best": summary.best,
            "best_step": summary.best_step,
            "series_sha256": series_sha256(curve.steps, curve.values),
            "timing": is_timing(summary.name),
        }
    )
    return found
