"""The mean of a few values, and how far it may be off: Student's t, without SciPy.

The quantile of t inverts the regularised incomplete beta function, which is its
continued fraction (DLMF 8.17.22, evaluated by Lentz's method as in Numerical Recipes
6.4). A test holds it to SciPy's within 1e-6.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from nbtrack.errors import OptionError

_TINY = 1e-300
_TERMS_MAX = 10_000
_BISECTIONS = 200  # far beyond what a double can tell apart


@dataclass(frozen=True, slots=True)
class MeanCI:
    """A mean and its confidence interval, `mean ± half_width`."""

    mean: float  # NaN where there is no value
    std: float  # of the sample (n - 1); NaN below two values
    half_width: float | None  # None below two values: one says nothing of the spread
    n: int
    n_nan: int  # left out
    level: float

    @property
    def short(self) -> str:
        """The numbers in a table's cell.

        Examples
        --------
        >>> mean_ci([0.9, 0.92]).short, mean_ci([0.9]).short
        ('0.910 ± 0.127 (n=2)', '0.9 (n=1)')
        """
        left_out = f", {self.n_nan} NaN" if self.n_nan else ""
        return f"{self._numbers()} (n={self.n}{left_out})" if self.n else "nan"

    def __str__(self) -> str:
        if self.n == 0:
            return f"no value{self._left_out()}"
        if self.n == 1:
            return f"{self._numbers()} (one run, no interval{self._left_out()})"
        level = f"{100 * self.level:g} % CI"
        return f"{self._numbers()} ({level}, n={self.n}{self._left_out()})"

    def _left_out(self) -> str:
        return f", {self.n_nan} NaN left out" if self.n_nan else ""

    def _numbers(self) -> str:
        width = self.half_width
        if width is None:
            return f"{self.mean:.5g}"
        if not 1e-6 < width < 1e6 or not math.isfinite(self.mean):
            return f"{self.mean:.5g} ± {width:.3g}"
        digits = max(0, 2 - math.floor(math.log10(width)))  # three that count
        return f"{self.mean:.{digits}f} ± {width:.{digits}f}"


def mean_ci(values: Iterable[float], level: float = 0.95) -> MeanCI:
    """The mean of values, such as of one metric over seeds, with Student's interval.

    NaN is left out and counted. One value has a mean and no interval.

    Parameters
    ----------
    values : iterable of float
        Independent values.
    level : float
        How sure the interval is: 0.95 for 95 %.

    Examples
    --------
    >>> print(mean_ci([0.90, 0.92, 0.91, 0.89, 0.93]))
    0.9100 ± 0.0196 (95 % CI, n=5)
    >>> print(mean_ci([0.9, float("nan")]))
    0.9 (one run, no interval, 1 NaN left out)
    """
    if not 0 < level < 1:
        raise OptionError(f"level={level!r}: give a share between 0 and 1, as 0.95.")
    given = [float(value) for value in values]
    kept = [value for value in given if not math.isnan(value)]
    n, n_nan = len(kept), len(given) - len(kept)
    mean = mean_of(kept)
    std = std_of(kept, mean)
    width = t_quantile(n - 1, level) * std / math.sqrt(n) if n > 1 else None
    return MeanCI(mean, std, width, n, n_nan, level)


@lru_cache(maxsize=256)
def t_quantile(freedom: float, level: float) -> float:
    """How far from 0 Student's t stays with this probability, to both sides.

    Examples
    --------
    >>> round(t_quantile(4, 0.95), 6)
    2.776445
    """
    low, high = 0.0, 1.0
    while t_beyond(high, freedom) > 1 - level:
        low, high = high, 2 * high
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if t_beyond(middle, freedom) > 1 - level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def mean_of(values: list[float]) -> float:
    """The mean; NaN of nothing, and where +inf meets -inf."""
    if not values or {math.inf, -math.inf} <= set(values):
        return math.nan
    try:
        # `fsum` makes the mean of a group independent of the order of its runs.
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)


def std_of(values: list[float], mean: float) -> float:
    """The standard deviation of a sample (n - 1); NaN below two values."""
    if len(values) < 2 or not math.isfinite(mean):
        return math.nan
    # A square of what diverged would overflow.
    return math.hypot(*(value - mean for value in values)) / math.sqrt(len(values) - 1)


def t_beyond(t: float, freedom: float) -> float:
    """The probability that Student's |T| is larger than `t` (DLMF 8.17, by I_x).

    Parameters
    ----------
    t : float
        At least 0; infinite is never reached.
    freedom : float
        Degrees of freedom, above 0; Welch's are no whole number.

    Examples
    --------
    >>> round(t_beyond(2.776445, 4), 6)
    0.05
    """
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):  # the fraction converges quickly on this side
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of DLMF 8.17.22, by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS_MAX):
        before = value
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(value - before) <= 1e-15 * abs(value):
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
