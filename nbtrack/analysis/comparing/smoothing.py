"""A curve smoothed for the eye; the raw one stays beside it and is never replaced."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SMALLEST = 1e-100  # the least power of the weight within a block: doubles hold it


def smoothed(values: Floats, weight: float) -> Floats:
    """An exponential moving average, without the bias of its start.

    s[i] = w s[i-1] + (1 - w) y[i], divided by 1 - w^(i+1), as TensorBoard draws it: the
    first point is itself. NaN and infinities stay where they are, and the average goes
    on behind them as if they had not been.

    Parameters
    ----------
    values
        Shape (n,), in the order of the steps.
    weight
        0 (as it is) to below 1.

    Examples
    --------
    >>> import numpy as np
    >>> smoothed(np.array([1.0, 3.0]), 0.5).round(3).tolist()
    [1.0, 2.333]
    """
    import numpy as np

    is_finite = np.isfinite(values)
    if weight <= 0 or not is_finite.any():
        return values
    finite = values[is_finite]
    found = np.array(values, dtype=np.float64)
    counted = np.arange(1, len(finite) + 1)
    found[is_finite] = _averaged(finite, weight) / (1 - weight**counted)
    return found


def _averaged(values: Floats, weight: float) -> Floats:
    """The recursion, a block at a time: within one it is a sum of scaled values."""
    import numpy as np

    length = max(1, min(len(values), int(math.log(_SMALLEST) / math.log(weight))))
    powers = weight ** np.arange(1, length + 1)
    found = np.empty(len(values))
    before: Any = 0.0
    for begin in range(0, len(values), length):
        block = values[begin : begin + length]
        scale = powers[: len(block)]
        found[begin : begin + length] = scale * (
            before + (1 - weight) * np.cumsum(block / scale)
        )
        before = found[begin + len(block) - 1]
    return found
