"""Slots are taken apart by series whatever their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nbtrack.store.columns import columns_by_series, slots_marked
from nbtrack.store.segments import EVENT, NOTHING, POINT, SLOT


def slots(series, marks=None):
    marks = marks or [POINT] * len(series)
    return b"".join(
        SLOT.pack(n, float(n), n + 0.5, number, mark)
        for n, (number, mark) in enumerate(zip(series, marks, strict=True))
    )


def taken_apart(raw):
    return {
        series: list(zip(c.steps, c.values, c.at, strict=True))
        for series, c in columns_by_series(raw)
    }


def expected(series, marks=None):
    marks = marks or [POINT] * len(series)
    found: dict = {}
    for n, (number, mark) in enumerate(zip(series, marks, strict=True)):
        if mark == POINT:
            found.setdefault(number, []).append((n, float(n), n + 0.5))
    return found


@given(st.lists(st.integers(1, 5), max_size=60))
def test_any_mix_of_series_comes_apart_in_order(series):
    assert taken_apart(slots(series)) == expected(series)


@given(st.integers(1, 6), st.integers(1, 40))
def test_series_in_turns_come_apart(n_series, n):
    series = [i % n_series for i in range(n)]
    assert taken_apart(slots(series)) == expected(series)


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from([0, POINT, EVENT, NOTHING])),
        max_size=50,
    )
)
def test_only_points_are_points(mixed):
    series, marks = [s for s, _ in mixed], [m for _, m in mixed]
    raw = slots(series, marks)
    assert taken_apart(raw) == expected(series, marks)
    assert len(slots_marked(raw, EVENT)) == marks.count(EVENT)


def test_a_pattern_that_breaks_off_is_noticed():
    series = [1, 2, 1, 2, 2, 1]
    assert taken_apart(slots(series)) == expected(series)
