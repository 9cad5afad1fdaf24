"""R18: a clock that jumps or stands changes no order and no duration."""

from __future__ import annotations

import itertools
import time

import pytest

import nbtrack
from nbtrack.store import Store

pytestmark = pytest.mark.faults
DAY_S, YEAR_S = 86_400.0, 365 * 86_400.0
REAL = time.time
FROZEN_AT = 1.8e9
JUMPS = {
    "a day back": lambda n: REAL() - (DAY_S if n > 5 else 0),
    "ten years on": lambda n: REAL() + (10 * YEAR_S if n > 5 else 0),
    "frozen": lambda n: FROZEN_AT,
    "backwards": lambda n: REAL() - n,
    "to and fro": lambda n: REAL() + (-1) ** n * DAY_S,
    "before 1970": lambda n: -1000.0 - n,
    "at the edge of time": lambda n: 253_402_300_799.0 - n,
}


@pytest.fixture(params=JUMPS)
def clock(request, monkeypatch):
    """Every clock for showing; the one for measuring is not the user's to set."""
    ticks, jump = itertools.count(), JUMPS[request.param]
    monkeypatch.setattr(time, "time", lambda: jump(next(ticks)))
    return request.param


@pytest.fixture
def logged(clock, store_path, plain_surroundings):
    """A run of a fifth of a second, logged while the clock jumps."""
    began = time.monotonic()
    with nbtrack.start("jumps") as run:
        for n in range(200):
            run.log(loss=float(n))
            time.sleep(0.001)
    took = time.monotonic() - began
    return run, took


def test_r18_no_point_changes_its_place(logged):
    run, _ = logged
    curve = run.store.curve(run.id, "loss")
    assert list(curve.steps) == list(range(200))
    assert list(curve.values) == [float(n) for n in range(200)]
    points = run.store.tail(run.id).points["loss"]
    assert list(points[0]) == list(range(200))
    metric = run.record().metrics["loss"]
    assert (metric.n, metric.last, metric.last_step) == (200, 199.0, 199)


def test_r18_the_duration_is_measured_and_not_read_off_the_clock(logged):
    run, took = logged
    assert 0.2 <= run.record().duration_s <= took
    assert run.record().status == "finished"


def test_r18_runs_before_and_after_a_jump_are_all_there_with_their_own_points(logged):
    """They are listed by the time that they say they began; that is for showing."""
    first, _ = logged
    ids = []
    for name in ("second", "third"):
        with nbtrack.start(name) as run:
            run.log(loss=1.0)
        ids.append(run.id)
    assert {record.name for record in run.store.runs()} == {"jumps", "second", "third"}
    assert [len(run.store.curve(each, "loss")) for each in ids] == [1, 1]
    assert len(run.store.curve(first.id, "loss")) == 200


def test_r18_a_dead_run_never_lasted_less_than_nothing(
    store_path, monkeypatch, child, tmp_path, until
):
    """Its end is taken from its last sign of life, whatever the clock said then."""
    from faults.children import Acknowledged

    done = Acknowledged(str(tmp_path / "ack"))
    process = child("steady_back", store_path, tmp_path / "ack")
    until(lambda: done.get() > 400)
    process.kill()
    process.wait()
    with Store.open(store_path) as store:
        run = store.run("r")
    assert run.status == "crashed"
    assert run.duration_s >= 0
