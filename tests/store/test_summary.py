"""Summaries stay what a look at all points would say."""

from __future__ import annotations

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from nbtrack.store.chunks import Columns
from nbtrack.store.summary import Summary, decoded, encoded, summary_with

POINTS = st.lists(
    st.tuples(st.integers(-50, 50), st.floats(allow_nan=True)), min_size=1, max_size=60
)


def columns(points):
    return Columns(
        array("q", [s for s, _ in points]),
        array("d", [v for _, v in points]),
        array("d", [0.0] * len(points)),
    )


@given(POINTS, st.integers(1, 60))
def test_a_summary_kept_in_parts_equals_one_of_the_whole(points, cut):
    first, rest = points[:cut], points[cut:]
    summary = summary_with(Summary(), columns(first))
    if rest:
        summary = summary_with(summary, columns(rest))
    numbers = [(v, s) for s, v in points if not math.isnan(v)]
    assert summary.n == len(points)
    assert summary.n_nan == len(points) - len(numbers)
    if numbers:
        assert summary.min == min(v for v, _ in numbers)
        assert summary.max == max(v for v, _ in numbers)
        assert summary.min_step == next(s for v, s in numbers if v == summary.min)
        assert summary.max_step == next(s for v, s in numbers if v == summary.max)
    highest = max(s for s, _ in points)
    last = [v for s, v in points if s == highest][-1]
    assert summary.last_step == highest
    assert summary.last == last or (math.isnan(summary.last) and math.isnan(last))


def test_the_first_nan_is_remembered():
    summary = summary_with(Summary(), columns([(3, 1.0), (4, math.nan), (5, math.nan)]))
    assert (summary.n_nan, summary.first_nan_step) == (2, 4)


def test_infinities_of_both_signs_are_no_nan():
    summary = summary_with(Summary(), columns([(0, math.inf), (1, -math.inf)]))
    assert (summary.n_nan, summary.min, summary.max) == (0, -math.inf, math.inf)


@given(st.floats())
def test_any_float_survives_the_way_through_sqlite(value):
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (x real)")
    connection.execute("insert into t values (?)", (encoded(value),))
    found = decoded(connection.execute("select x from t").fetchone()[0])
    connection.close()
    assert found == value or (math.isnan(found) and math.isnan(value))
