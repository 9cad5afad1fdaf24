"""How the tensors of two files differ: shapes, types, norms, and how far they moved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nbtrack.analysis.tensor_files import Tensor


@dataclass(frozen=True, slots=True)
class TensorChange:
    """What became of one tensor; the norm is that of all its elements (Frobenius)."""

    path: str  # of the file
    name: str
    change: str  # "added", "removed", "changed", "same"
    shape_a: tuple[int, ...] | None
    shape_b: tuple[int, ...] | None
    dtype_a: str | None
    dtype_b: str | None
    norm_a: float | None
    norm_b: float | None
    change_norm: float | None  # of b - a; None where shapes differ
    max_abs_change: float | None


def diff_tensors(
    path: str, a: Mapping[str, Tensor], b: Mapping[str, Tensor]
) -> list[TensorChange]:
    """Every tensor of either file, in their order, one after the other.

    >>> diff_tensors("a.npz", {}, {"x": Tensor((2,), "S3", None)})[0].change
    'added'
    """
    return [_change(path, n, a.get(n), b.get(n)) for n in dict.fromkeys([*a, *b])]


def _change(path: str, name: str, a: Tensor | None, b: Tensor | None) -> TensorChange:
    moved: float | None = None
    most: float | None = None
    if a is not None and b is not None and a.shape == b.shape:
        norm_a, norm_b, moved, most = _both(a, b)
    else:
        norm_a, norm_b = _norm(a), _norm(b)
    return TensorChange(
        path, name, _word(a, b, most),
        a.shape if a else None, b.shape if b else None,
        a.dtype if a else None, b.dtype if b else None,
        norm_a, norm_b, moved, most,
    )  # fmt: skip


def _word(a: Tensor | None, b: Tensor | None, most: float | None) -> str:
    if a is None or b is None:
        return "added" if a is None else "removed"
    same = a.shape == b.shape and a.dtype == b.dtype and most == 0.0
    return "same" if same else "changed"


def _norm(tensor: Tensor | None) -> float | None:
    if tensor is None or tensor.blocks is None:
        return None
    return math.sqrt(sum(_squares(block) for block in tensor.blocks()))


def _both(
    a: Tensor, b: Tensor
) -> tuple[float | None, float | None, float | None, float | None]:
    """Norms, norm of the change, largest change; all in one pass over both."""
    if a.blocks is None or b.blocks is None:
        return _norm(a), _norm(b), None, None
    import numpy as np

    sums = [0.0, 0.0, 0.0]
    most = 0.0
    for one, other in zip(a.blocks(), b.blocks(), strict=True):
        with np.errstate(invalid="ignore", over="ignore"):
            change = other - one
        # Equal infinities did not move; NaN stays NaN where the other is a number.
        change[(one == other) | (np.isnan(one) & np.isnan(other))] = 0
        for at, block in enumerate((one, other, change)):
            sums[at] += _squares(block)
        largest = float(np.max(np.abs(change))) if change.size else 0.0
        most = largest if math.isnan(largest) or largest > most else most
    return math.sqrt(sums[0]), math.sqrt(sums[1]), math.sqrt(sums[2]), most


def _squares(block: object) -> float:
    import numpy as np

    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.vdot(block, block).real)  # type: ignore[call-overload]
