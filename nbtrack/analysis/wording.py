"""Numbers, durations and sizes as short text, the same as `shared/format.ts` shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def number(value: float | None) -> str:
    """Four significant digits.

    >>> number(0.979), number(12), number(-3.14e-5), number(float("nan"))
    ('0.9790', '12', '−3.14e−5', 'NaN')
    """
    if value is None:
        return "–"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return _finite(float(value)).replace("-", "−")


def duration(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    >>> duration(7), duration(3723)
    ('0:07', '1:02:03')
    """
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def count(n: int) -> str:
    """Thousands set apart.

    >>> count(12500)
    '12,500'
    """
    return f"{n:,}"


def sparkline(values: Sequence[float], *, width: int = 24) -> str:
    """A curve as a line of bars; values that are not finite leave a gap.

    >>> sparkline([1.0, 2.0, 3.0])
    '▁▅█'
    """
    picked = _spread(values, width)
    finite = [value for value in picked if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    return "".join(_bar(value, low, high) for value in picked)


def _finite(value: float) -> str:
    size = abs(value)
    if value.is_integer() and size < 1e6:
        return str(int(value))
    if size < 1e-3 or size >= 1e6:
        mantissa, power = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(power)}"
    decimals = max(0, 3 - math.floor(math.log10(size)))
    return f"{value:.{decimals}f}"


def _spread(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    return [values[round(i * (len(values) - 1) / (width - 1))] for i in range(width)]


def _bar(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return " "
    # Halved first: the distance of two huge values may overflow.
    height = high / 2 - low / 2
    share = (value / 2 - low / 2) / height if height > 0 else 0.5
    return _BARS[min(7, int(share * 8))]
