"""Series in a bundle: every double comes back, and a digest says so."""

from __future__ import annotations

import json
import math
import struct
from array import array

import pytest
from bundles.tracked_runs import HOSTILE

import nbtrack
from nbtrack.bundles.contents.metrics import expected, metrics_lines, series_sha256

pytestmark = pytest.mark.usefixtures("plain_surroundings")
ODD = [
    0.1,
    -0.0,
    5e-324,
    1.7976931348623157e308,
    math.pi,
    math.nan,
    math.inf,
    -math.inf,
]


@pytest.fixture
def logged(run):
    for step, value in enumerate(ODD):
        nbtrack.log({"loss": value, HOSTILE: step, "step_time": 0.5}, step=2 * step)
    run.finish()
    return run.store, run.record()


def lines_of(body):
    """As somebody with a JSON parser alone reads them."""

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    parsed = [
        json.loads(line, parse_constant=refuse) for line in body.decode().splitlines()
    ]
    return {line["metric"]: line for line in parsed}


def test_every_double_comes_back_as_it_was(logged):
    line = lines_of(metrics_lines(*logged))["loss"]
    again = array("d", map(float, line["values"]))
    assert [struct.pack("<d", value) for value in again] == [
        struct.pack("<d", value) for value in ODD
    ]
    assert line["steps"] == [0, 2, 4, 6, 8, 10, 12, 14]


def test_what_is_no_number_of_json_is_a_word(logged):
    line = lines_of(metrics_lines(*logged))["loss"]
    assert line["values"][-3:] == ["NaN", "Infinity", "-Infinity"]


def test_a_line_tells_goal_times_and_whether_it_is_a_clock(logged):
    lines = lines_of(metrics_lines(*logged))
    assert list(lines) == ["loss", HOSTILE, "step_time"]
    assert lines["loss"]["goal"] == "min"
    assert (lines["loss"]["timing"], lines["step_time"]["timing"]) == (False, True)
    assert len(lines["loss"]["at"]) == len(ODD)
    assert lines["loss"]["thinned"] == 1


def test_axes_stand_beside_the_values(run):
    for epoch in nbtrack.epochs(2):
        for _ in range(2):
            nbtrack.log(loss=float(epoch))
    line = lines_of(metrics_lines(run.store, run.record()))["loss"]
    axes = line["axes"]
    assert all(len(column) == len(line["values"]) for column in axes.values())
    assert axes["epoch"] == [0.0, 0.0, 1.0, 1.0]


def test_the_bytes_are_the_same_each_time(logged):
    assert metrics_lines(*logged) == metrics_lines(*logged)
    assert expected(*logged, []) == expected(*logged, [])


def test_the_digest_is_that_of_the_written_points(logged):
    line = lines_of(metrics_lines(*logged))["loss"]
    told = expected(*logged, [])["metrics"]["loss"]
    again = array("d", map(float, line["values"]))
    assert told["series_sha256"] == series_sha256(array("q", line["steps"]), again)


@pytest.mark.parametrize(
    ("steps", "values"), [([0, 1], [1.0, -0.0]), ([0, 2], [1.0, 0.0]), ([0], [1.0])]
)
def test_another_series_has_another_digest(steps, values):
    assert series_sha256(steps, values) != series_sha256([0, 1], [1.0, 0.0])


def test_what_is_expected_is_without_nan_and_says_how_many_points(logged):
    told = expected(*logged, [{"name": "net"}])
    assert told["checkpoints"] == [{"name": "net"}]
    loss = told["metrics"]["loss"]
    assert (loss["n"], loss["last"], loss["goal"]) == (len(ODD), None, "min")
    clock = told["metrics"]["step_time"]
    assert (clock["min"], clock["timing"], clock["best_step"]) == (0.5, True, 14)


def test_a_run_without_metrics_has_no_lines(run):
    assert metrics_lines(run.store, run.record()) == b""
    assert expected(run.store, run.record(), []) == {"metrics": {}, "checkpoints": []}


def test_a_million_steps_apart_stay_apart(run):
    nbtrack.log(loss=1.0, step=2**53 + 1)
    line = lines_of(metrics_lines(run.store, run.record()))["loss"]
    assert line["steps"] == [2**53 + 1]
