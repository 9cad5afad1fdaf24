"""The verdict of a metric: what is equal, inside of noise, declared, or neither."""

from __future__ import annotations

import math
from array import array

import pytest

from nbtrack.bundles.judging import Tolerance, judged
from nbtrack.bundles.series import Series, series_of_lines
from nbtrack.bundles.verdict import Verdict, worst
from nbtrack.errors import BundleError

NAN, INF = math.nan, math.inf


def series(*values, steps=None, name="loss", **more):
    steps = range(len(values)) if steps is None else steps
    return {name: Series(name, array("q", steps), array("d", values), **more)}


def verdict_of(was, now, tolerance=None):
    (found,) = judged(was, now, {"loss": tolerance} if tolerance else {})
    return found


@pytest.mark.parametrize(
    ("was", "now", "word"),
    [
        (series(0.5, NAN, INF, -0.0), series(0.5, NAN, INF, -0.0), "BITWISE"),
        (series(0.0), series(-0.0), "IDENTICAL"),
        (series(0.5, 0.25), series(0.5, 0.125), "DRIFTED"),
        (series(0.5, NAN), series(0.5, 0.125), "DIVERGED"),
        (series(0.5, 0.25), series(0.5, NAN), "DIVERGED"),
        (series(0.5, INF), series(0.5, 1.0), "DRIFTED"),
        (series(0.5, 0.25), series(0.5), "DIVERGED"),
        (series(0.5, 0.25), series(0.5, 0.25, steps=[0, 2]), "DIVERGED"),
        (series(0.5), {}, "DIVERGED"),
        ({}, series(0.5), "DIVERGED"),
    ],
)
def test_each_kind_of_difference_has_its_word(was, now, word):
    assert verdict_of(was, now).verdict == word


def test_the_first_step_and_the_largest_difference_are_told():
    found = verdict_of(series(1.0, 2.0, 3.0), series(1.0, 2.5, 3.25))
    assert (found.first_step, found.max_difference) == (1, 0.5)
    assert found.why == "off by up to 0.5"


def test_noise_is_three_times_the_measured_spread_and_no_more():
    tolerance = Tolerance(spread=0.25, k=3, source="repeat")
    assert verdict_of(series(1.0), series(1.75), tolerance).verdict == "WITHIN-NOISE"
    assert verdict_of(series(1.0), series(1.76), tolerance).verdict == "DRIFTED"


def test_a_declared_tolerance_is_told_from_a_measured_one():
    tolerance = Tolerance(atol=0.5, spread=0.01, k=3, source="declared")
    assert verdict_of(series(1.0), series(1.02), tolerance).verdict == "WITHIN-NOISE"
    assert verdict_of(series(1.0), series(1.4), tolerance).verdict == "WITHIN-DECLARED"
    assert verdict_of(series(1.0), series(1.6), tolerance).verdict == "DRIFTED"


def test_without_a_tolerance_nothing_is_near_enough():
    assert verdict_of(series(1.0), series(1.0 + 1e-15)).verdict == "DRIFTED"


def test_thinned_series_are_compared_where_both_have_points():
    was = series(1.0, 2.0, 9.0, steps=[0, 2, 9], thinned=3)
    now = series(1.0, 5.0, 9.0, steps=[0, 3, 9], thinned=3)
    assert verdict_of(was, now).verdict == "IDENTICAL"
    assert verdict_of(was, series(1.0, 9.0, steps=[0, 8], thinned=3)).verdict == (
        "DIVERGED"
    )


def test_what_measures_time_is_not_judged():
    was = series(1.0, name="epoch_time", is_timing=True)
    assert judged(was, series(2.0, name="epoch_time", is_timing=True), {}) == ()


def test_the_worst_metric_speaks_for_all():
    assert worst(["BITWISE", "WITHIN-DECLARED", "IDENTICAL"]) == "WITHIN-DECLARED"


def test_lines_of_json_give_the_doubles_back():
    line = (
        b'{"metric": "loss", "goal": "min", "steps": [0, 3], '
        b'"values": [0.1, "-Infinity"], "at": [1.0, 2.0], "axes": {"epoch": [0, 1]}}'
    )
    found = series_of_lines(line + b"\n")["loss"]
    assert (list(found.steps), list(found.values)) == ([0, 3], [0.1, -INF])
    assert list(found.axes["epoch"]) == [0.0, 1.0]


@pytest.mark.parametrize(
    "line",
    [
        b"[]", b"{", b'{"metric": "a"}', b'{"metric": 3, "steps": [], "values": []}',
        b'{"metric": "a", "steps": [0], "values": [], "axes": {}}',
        b'{"metric": "a", "steps": [0], "values": ["x"], "axes": {}}',
        b'{"metric": "a", "steps": [1e99], "values": [1], "axes": {}}',
        b'{"metric": "a", "steps": [0], "values": [[]], "axes": {}}',
        b'{"metric": "a", "goal": "up", "steps": [], "values": [], "axes": {}}',
    ],
)  # fmt: skip
def test_what_is_no_series_is_refused_with_its_line(line):
    good = b'{"metric": "b", "steps": [], "values": [], "axes": {}}\n'
    with pytest.raises(BundleError, match="line 2, is no series"):
        series_of_lines(good + line)


@pytest.mark.parametrize(
    "told",
    [{"atol": -1}, {"rtol": "nan"}, {"spread": INF}, {"source": "hope"}, {"atol": []}],
)
def test_what_is_no_tolerance_is_refused(told):
    with pytest.raises((ValueError, TypeError)):
        Tolerance.read(told)


def test_hostile_names_move_no_terminal():
    (found,) = judged(series(1.0, name="a\x1b[2J"), {}, {})
    shown = "\n".join(Verdict("DIVERGED", (found,), reason="\x1b[31mred").lines())
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown
