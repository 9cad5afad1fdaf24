from __future__ import annotations

import math
from array import array

import pytest

from nbtrack.analysis.spark import spark


def test_a_short_curve_is_passed_on_with_gaps():
    assert spark([1.0, math.nan, math.inf, -math.inf, 2.0]) == [
        1.0,
        None,
        None,
        None,
        2.0,
    ]
    assert spark([]) == []


@pytest.mark.parametrize("n", [49, 50, 97, 1_000, 100_003])
def test_a_long_curve_keeps_its_extremes_in_order(n):
    values = array("d", range(n))
    values[n // 2] = -5.0
    shown = spark(values)
    assert len(shown) <= 48
    assert (min(shown), max(shown)) == (-5.0, n - 1)
    assert shown[-1] == n - 1


def test_a_stretch_of_nothing_but_nan_is_a_gap():
    shown = spark([1.0] * 500 + [math.nan] * 500)
    assert shown[0] == 1.0
    assert shown[-1] is None
    assert None not in shown[:20]
