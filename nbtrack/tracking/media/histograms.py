"""Histograms: how often values fall into each of 64 equal bins.

Counted on the numbers that are there; NaN and infinities are counted beside them. Of
more than 16 million values an even share is taken, and the record says so (`sampled`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from nbtrack.tracking.media.content import Content, Snapshot, kind_of, refusal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

N_BINS = 64
VALUES_MAX = 2**24  # 64 MB of float32; of more every k-th value is taken
_HUGE = 1e300  # beyond, widths of bins overflow: counted as infinite
_WAY_OUT = "Log an array, a tensor or a list of numbers"


def snapshot_of(values: Any, bins: int = N_BINS) -> Snapshot:  # Any: numbers of a kind
    """The values as they are now; also `(counts, edges)` as NumPy returns them.

    Raises
    ------
    ValueNotLoggedError
        For what has no numbers in it.
    """
    counted = _counted_already(values)
    if counted is not None:
        return Snapshot(lambda: counted)
    array = _flat(values)
    if array.dtype.kind not in "biuf" or not array.size:
        raise refusal(f"{kind_of(values)} has no numbers in it", _WAY_OUT)
    n, every = array.size, -(-array.size // VALUES_MAX)
    copy = array[::every].copy()
    return Snapshot(partial(_encoded, copy, int(n), int(bins)), copy.nbytes)


def counted_snapshot(counts: Any, edges: Any) -> Snapshot:  # Any: lists of numbers
    """What was counted elsewhere: `n` counts between `n + 1` edges.

    Raises
    ------
    ValueNotLoggedError
        For what is none, or has no finite numbers.
    """
    import numpy as np

    content = _counted_already((counts, edges))
    is_finite = content is not None and np.isfinite(content.data["edges"]).all()
    if content is None or not is_finite or not np.isfinite(content.data["n"]):
        raise refusal("its counts and edges do not fit together", _WAY_OUT)
    return Snapshot(lambda: content)


def histogram_data(
    counts: list[int], low: float, high: float, *, n: int, **more: Any
) -> dict[str, Any]:
    """A histogram as it is kept: equal bins from `low` to `high`."""
    told = {key: value for key, value in more.items() if value}
    return {"counts": counts, "range": [low, high], "n": n, **told}


def edges_of(data: dict[str, Any]) -> Array:
    """The edges of the bins of a histogram that was kept."""
    import numpy as np

    if "edges" in data:
        return np.asarray(data["edges"], dtype=np.float64)
    low, high = data["range"]
    return np.linspace(low, high, len(data["counts"]) + 1)


def _flat(values: Any) -> Array:
    import numpy as np

    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach()
        if getattr(values, "is_sparse", False):
            values = values.coalesce().values()
        values = (values.float() if values.is_floating_point() else values).cpu()
        return np.asarray(values.numpy()).ravel()
    try:
        return np.asarray(values).ravel()
    except ValueError as exc:  # lists of unequal length
        raise refusal(f"{kind_of(values)} is no regular array", _WAY_OUT) from exc


def _encoded(values: Array, n: int, bins: int) -> Content:
    import numpy as np

    wide = values.astype(np.float64)
    n_nan = int(np.isnan(wide).sum())
    fine = wide[np.isfinite(wide) & (np.abs(wide) < _HUGE)]
    n_inf = int(wide.size - n_nan - fine.size)
    counts, edges = np.histogram(fine if fine.size else [0.0], bins=bins)
    if not fine.size:
        counts = counts * 0
    data = histogram_data(
        [int(count) for count in counts], float(edges[0]), float(edges[-1]), n=n,
        n_nan=n_nan, n_inf=n_inf, sampled=len(values) if len(values) < n else None,
    )  # fmt: skip
    if fine.size:
        data |= {"mean": float(fine.mean()), "std": float(fine.std())}
        data |= {"min": float(fine.min()), "max": float(fine.max())}
    return Content("histogram", data)


def _counted_already(values: Any) -> Content | None:
    """`np.histogram(...)`: counts, and one edge more."""
    import numpy as np

    if not isinstance(values, tuple) or len(values) != 2:
        return None
    try:
        counts, edges = (np.asarray(part) for part in values)
    except ValueError:
        return None
    if counts.ndim != 1 or edges.shape != (counts.size + 1,) or not counts.size:
        return None
    if {counts.dtype.kind, edges.dtype.kind} - set("biuf"):
        return None
    data = {
        "counts": counts.tolist(),
        "edges": edges.astype(float).tolist(),
        "n": counts.sum().item(),
    }
    return Content("histogram", data)
