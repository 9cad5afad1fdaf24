"""Packed points come back as they were."""

from __future__ import annotations

import math
import struct
from array import array

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from nbtrack.store.chunks import Columns, joined, pack, take_apart, unpack

STEPS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.floats(allow_nan=True, allow_infinity=True)
MOMENTS = st.floats(0, 4e9) | st.sampled_from([math.nan, math.inf, -1.0])
POINTS = st.lists(st.tuples(STEPS, VALUES, MOMENTS), min_size=1, max_size=40)


def columns(steps, values=None, at=None):
    values = [float(n) for n in range(len(steps))] if values is None else values
    at = [1.7e9 + n / 1000 for n in range(len(steps))] if at is None else at
    return Columns(array("q", steps), array("d", values), array("d", at))


def same_bits(a, b):
    return struct.pack(f"{len(a)}d", *a) == struct.pack(f"{len(b)}d", *b)


@given(POINTS)
@settings(max_examples=examples(300))
def test_every_point_reads_back_the_same(points):
    before = columns(*map(list, zip(*points, strict=True)))
    after = unpack(pack(before))
    assert after.steps == before.steps
    assert same_bits(after.values, before.values)
    for was, now in zip(before.at, after.at, strict=True):
        assert abs(was - now) <= 1e-6 or same_bits([was], [now])


@given(st.lists(POINTS, min_size=1, max_size=5))
@settings(max_examples=examples(200))
def test_joined_chunks_hold_the_points_of_all(parts):
    all_columns = [columns(*map(list, zip(*points, strict=True))) for points in parts]
    whole = unpack(joined([pack(part) for part in all_columns]))
    assert list(whole.steps) == [s for part in all_columns for s in part.steps]
    assert same_bits(whole.values, [v for part in all_columns for v in part.values])


def test_regular_steps_cost_twelve_bytes_a_point():
    body = pack(columns(range(10_000)))
    assert len(body) / 10_000 < 12.01


def test_regular_chunks_join_without_unpacking_into_the_same_bytes():
    whole = columns(range(0, 3000, 3))
    parts = [
        Columns(whole.steps[i:j], whole.values[i:j], whole.at[i:j])
        for i, j in [(0, 1), (1, 2), (2, 500), (500, 1000)]
    ]
    assert joined([pack(part) for part in parts]) == pack(whole)


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([5, 5, 5, 5], 0),
        ([9, 7, 5], 0),
        ([0, 1, 3, 4], 1),
        ([0, 1, 400], 2),
        ([0, 1, 70_000], 4),
        ([3, 1, 2], 8),
    ],
)
def test_steps_take_the_narrowest_form(steps, code):
    body = pack(columns(steps))
    assert take_apart(body).step_code == code
    assert list(unpack(body).steps) == steps


def test_a_long_pause_keeps_exact_times():
    at = [0.0, 1e6, 1e9]
    assert list(unpack(pack(columns([0, 1, 2], at=at))).at) == at


def test_a_clock_that_went_back_keeps_its_times():
    at = [100.0, 99.5, 99.75]
    assert list(unpack(pack(columns([0, 1, 2], at=at))).at) == at


@pytest.mark.parametrize("numpy_is_loaded", [True, False])
def test_numpy_changes_nothing_but_the_speed(monkeypatch, numpy_is_loaded):
    import sys

    if numpy_is_loaded:
        pytest.importorskip("numpy")
    else:
        monkeypatch.delitem(sys.modules, "numpy", raising=False)
    before = columns(range(7, 7007, 7))
    after = unpack(pack(before))
    assert after.steps == before.steps
    assert [round(a * 1e6) for a in after.at] == [round(a * 1e6) for a in before.at]


@pytest.mark.parametrize("cut", [0, 10, 31, 32, 100])
def test_a_body_that_is_not_whole_is_refused(cut):
    body = pack(columns(range(100)))
    with pytest.raises(ValueError, match="chunk body"):
        take_apart(body[:cut])


def test_a_body_of_a_later_format_is_refused():
    body = pack(columns(range(3)))
    with pytest.raises(ValueError, match="unknown format 9"):
        take_apart(b"\x09" + body[1:])
