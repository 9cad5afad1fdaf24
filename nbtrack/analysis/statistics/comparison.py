"""What was found of one group against another, and how it is said in one line."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nbtrack.analysis.confidence import MeanCI
from nbtrack.text import shorten, visible


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """What can be said of B against A on a metric; `str` says it in one line."""

    b: str  # labels
    a: str
    metric: str
    goal: str  # "min" or "max"
    better: str | None  # the label of the better one; None: no difference shown
    n: int  # pairs, or runs of both where there are none
    mean_b: MeanCI
    mean_a: MeanCI
    difference: float  # mean(b) - mean(a), of the pairs where there are any
    low: float  # its 95 % interval
    high: float
    p: float  # two-sided; of `beats_all`, corrected after Holm
    method: str
    paired_on: str | None
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        first, second, told = self.b, self.a, ""
        numbers = (self.difference, self.low, self.high)
        if self.better is None:
            told = "no difference shown: "
        elif self.better == self.a:
            first, second = self.a, self.b
            numbers = (-self.difference, -self.high, -self.low)
        verb = "against" if told else "beats"
        return (
            f"{told}{first} {verb} {second} on {shorten(visible(self.metric), 60)}: "
            f"{difference_text(*numbers)} (95 %), {self._n}, {p_text(self.p)}, "
            f"{self.method}"
        )

    def __repr__(self) -> str:
        return "\n".join([str(self), *(f"  note: {told}" for told in self.warnings)])

    @property
    def _n(self) -> str:
        if self.paired_on is not None:
            return f"n={self.n} pairs"
        return f"n={self.mean_b.n} and {self.mean_a.n}"


def p_text(p: float) -> str:
    """A p value as papers write it: below .1 three digits, and no rounding to .05.

    Examples
    --------
    >>> p_text(0.0312), p_text(0.25), p_text(0.0001), p_text(0.04996)
    ('p=.031', 'p=.25', 'p<.001', 'p=.04996')
    """
    if p < 0.001:
        return "p<.001"
    if p > 0.995:
        return "p=1"
    text = f"{p:.{3 if p < 0.1 else 2}f}"
    if (p < 0.05) != (float(text) < 0.05):
        text = f"{p:.5f}"  # what decides is not rounded away
    return f"p={text.removeprefix('0')}"


def decimals_for(width: float) -> int:
    """Digits after the point with which two digits of an interval's width are shown.

    Examples
    --------
    >>> decimals_for(0.0123), decimals_for(3.4), decimals_for(250.0)
    (3, 1, 0)
    """
    return max(0, 1 - math.floor(math.log10(width)))


def difference_text(difference: float, low: float, high: float) -> str:
    """A difference with its interval, with as many digits as the interval allows.

    Examples
    --------
    >>> difference_text(0.012345, 0.0031, 0.0215)
    '+0.0123 [0.0031, 0.0215]'
    >>> difference_text(0.5, float("-inf"), float("inf"))
    '+0.5 [-inf, inf]'
    """
    width = (high - low) / 2
    if not 1e-9 < width < 1e9:
        return f"{difference:+.3g} [{low:.3g}, {high:.3g}]"
    digits = decimals_for(width)
    return f"{difference:+.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
