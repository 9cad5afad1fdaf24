"""Is the mean of these numbers another than that of those? Tests without SciPy.

Each gives the difference, its 95 % interval and a two-sided p value that agree with one
another: p is below 0.05 where the interval leaves 0 out. Values are finite; what is
random is seeded, so that the same numbers always give the same p.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from nbtrack.analysis.confidence import mean_of, std_of, t_beyond, t_quantile

LEVEL = 0.95  # of all intervals here
EXACT_PAIRS_MAX = 12  # 4096 ways to flip their signs
EXACT_SPLITS_MAX = 5_000  # ways to share the runs out among two groups
RESAMPLES = 9_999  # with the observed one 10 000: p in steps of .0001
_ROUNDING = 1e-12  # of the largest value: below, two doubles count as the same


@dataclass(frozen=True, slots=True)
class MeanTest:
    """What a test says of mean(b) - mean(a)."""

    difference: float
    low: float  # of the interval; infinite where the values are too few for one
    high: float
    p: float  # two-sided
    method: str


def paired_t(differences: Sequence[float]) -> MeanTest:
    """Student's paired t test, of at least two differences.

    Where all differences are the same there is no spread to measure against: p is 0,
    or 1 where they are all 0.

    Examples
    --------
    >>> found = paired_t([0.02, 0.01, 0.03, 0.01, 0.02])
    >>> round(found.difference, 3), round(found.p, 4)
    (0.018, 0.0086)
    """
    difference, error = _gap([list(differences)])
    return _by_t(difference, error, len(differences) - 1, "paired t")


def welch_t(b: Sequence[float], a: Sequence[float]) -> MeanTest:
    """Welch's t test: groups of independent values, whose spreads may differ.

    Degrees of freedom after Welch (Biometrika 34, 1947) and Satterthwaite.

    Examples
    --------
    >>> round(welch_t([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 9.0]).p, 4)
    0.1647
    """
    difference, error = _gap([list(b), list(a)])
    errors = [_gap([list(side)])[1] for side in (b, a)]
    # Shares of the error, so that no square of a tiny or huge value is lost.
    shares = [part / error if error else 0.0 for part in errors]
    below = sum(x**4 / (len(side) - 1) for x, side in zip(shares, (b, a), strict=True))
    freedom = 1 / below if below else len(b) + len(a) - 2
    return _by_t(difference, error, freedom, "Welch t")


def sign_flips(differences: Sequence[float], *, seed: int = 0) -> MeanTest:
    """Fisher's sign-flip permutation test of paired differences.

    Up to 12 pairs all ways to flip signs are counted, beyond that 9999 random ones. The
    interval holds the means of subsets (Hartigan, JASA 64, 1969); below six pairs no
    95 % interval is finite, as no p is below .05.

    Examples
    --------
    >>> sign_flips([0.2, 0.1, 0.3, 0.1, 0.2, 0.4]).p  # all 6 of one sign: 2 of 64
    0.03125
    """
    values = list(differences)
    n, total = len(values), math.fsum(values)
    exact = n <= EXACT_PAIRS_MAX
    subsets = _all_subsets(values) if exact else _some_subsets(values, seed)
    edge = abs(total) - _ROUNDING * math.fsum(map(abs, values))
    # To flip the signs of a subset takes its sum away twice.
    as_far = sum(abs(total - 2 * part) >= edge for part, _ in subsets)
    ways = len(subsets) + 1  # the subset of none: what was observed
    means = sorted(part / size for part, size in subsets)
    cut = math.floor((1 - LEVEL) / 2 * ways)
    low, high = (means[cut - 1], means[-cut]) if cut else (-math.inf, math.inf)
    how = "exact" if exact else f"{RESAMPLES} random"
    return MeanTest(
        total / n, low, high, (as_far + 1) / ways, f"sign-flip permutation ({how})"
    )


def relabelled(b: Sequence[float], a: Sequence[float], *, seed: int = 0) -> MeanTest:
    """The permutation test of two independent groups; the interval is Welch's.

    All ways to share the values out among the groups are counted where there are at
    most 5000, else 9999 random ones.

    Examples
    --------
    >>> relabelled([5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0]).p  # 2 of 70
    0.02857142857142857
    """
    values, interval = [*b, *a], welch_t(b, a)
    total, n = math.fsum(values), len(b)
    edge = abs(interval.difference) - _ROUNDING * max(map(abs, values))
    exact = math.comb(len(values), n) <= EXACT_SPLITS_MAX
    splits = combinations(values, n) if exact else _some_splits(values, n, seed)
    gaps = [
        abs(part / n - (total - part) / len(a)) >= edge
        for part in map(math.fsum, splits)
    ]
    extra = 0 if exact else 1  # random ones may leave out what was observed
    p = (sum(gaps) + extra) / (len(gaps) + extra)
    how = "exact" if exact else f"{RESAMPLES} random"
    return MeanTest(
        interval.difference, interval.low, interval.high, p, f"permutation ({how})"
    )


def bootstrap_paired(differences: Sequence[float], *, seed: int = 0) -> MeanTest:
    """The studentised bootstrap of paired differences.

    Efron & Tibshirani, An Introduction to the Bootstrap (1993), 12.5 and 16.4: 9999
    times values are drawn with replacement from the differences less their mean.

    Examples
    --------
    >>> found = bootstrap_paired([0.02, 0.01, 0.03, 0.01, 0.02, 0.02, 0.01])
    >>> found.low > 0 and found.p < 0.05
    True
    """
    return _bootstrap([list(differences)], seed, "paired bootstrap-t")


def bootstrap_unpaired(
    b: Sequence[float], a: Sequence[float], *, seed: int = 0
) -> MeanTest:
    """The studentised bootstrap of two independent groups, as `bootstrap_paired`.

    Examples
    --------
    >>> bootstrap_unpaired([5.0, 6.0, 7.0, 8.0], [5.0, 6.0, 7.0, 8.0]).p
    1.0
    """
    return _bootstrap([list(b), list(a)], seed, "bootstrap-t")


def holm(p_values: Sequence[float]) -> list[float]:
    """Several p values, corrected after Holm (Scand. J. Stat. 6, 1979).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, highest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def is_flat(values: Sequence[float]) -> bool:
    """Whether they are all the same but for rounding.

    Examples
    --------
    >>> is_flat([0.3, 0.1 + 0.2]), is_flat([0.3, 0.30001])
    (True, False)
    """
    return max(values) - min(values) <= _ROUNDING * max(map(abs, values))


def _by_t(difference: float, error: float, freedom: float, method: str) -> MeanTest:
    width = t_quantile(freedom, LEVEL) * error
    p = t_beyond(_ratio(difference, error), freedom)
    return MeanTest(difference, difference - width, difference + width, p, method)


def _ratio(difference: float, error: float) -> float:
    if error == 0:
        return math.inf if difference else 0.0
    return abs(difference) / error


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - resamples are no secrets


def _all_subsets(values: Sequence[float]) -> list[tuple[float, int]]:
    """Sum and size of each subset that is not empty."""
    found = [(0.0, 0)]
    for value in values:
        found += [(part + value, size + 1) for part, size in found]
    return found[1:]


def _some_subsets(values: Sequence[float], seed: int) -> list[tuple[float, int]]:
    random = _seeded(seed)
    found: list[tuple[float, int]] = []
    while len(found) < RESAMPLES:
        bits = random.getrandbits(len(values))
        if bits:
            part = [value for at, value in enumerate(values) if bits >> at & 1]
            found.append((math.fsum(part), len(part)))
    return found


def _some_splits(values: list[float], n: int, seed: int) -> Iterator[Sequence[float]]:
    random = _seeded(seed)
    return (random.sample(values, n) for _ in range(RESAMPLES))


def _bootstrap(sides: list[list[float]], seed: int, method: str) -> MeanTest:
    """Of mean(first) - mean(second); of the mean of the first where it is alone."""
    random = _seeded(seed)
    difference, error = _gap(sides)
    centred = [[v - mean_of(values) for v in values] for values in sides]
    drawn = sorted(
        _ratio(*_gap([random.choices(side, k=len(side)) for side in centred]))
        for _ in range(RESAMPLES)
    )
    seen = _ratio(difference, error)
    as_far = sum(ratio >= seen * (1 - _ROUNDING) for ratio in drawn)
    width = drawn[math.ceil(LEVEL * (RESAMPLES + 1)) - 1] * error if error else 0.0
    p = (as_far + 1) / (RESAMPLES + 1)
    return MeanTest(difference, difference - width, difference + width, p, method)


def _gap(sides: list[list[float]]) -> tuple[float, float]:
    """The difference of the means, and its standard error."""
    means = [math.fsum(side) / len(side) for side in sides]
    errors = [
        0.0 if is_flat(side) else std_of(side, mean) / math.sqrt(len(side))
        for side, mean in zip(sides, means, strict=True)
    ]
    return means[0] - sum(means[1:]), math.hypot(*errors)
