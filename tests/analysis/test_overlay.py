"""Curves over any x, smoothed, banded, and small for a screen with every spike."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nbtrack
from nbtrack.analysis.comparing.overlay import Overlay, Wanted, read_xy
from nbtrack.analysis.comparing.smoothing import smoothed

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def plainly(values, weight):
    """The recursion as TensorBoard has it, one value at a time."""
    last, found = 0.0, []
    for n, value in enumerate(values, start=1):
        last = weight * last + (1 - weight) * value
        found.append(last / (1 - weight**n))
    return found


@pytest.mark.parametrize("weight", [0.01, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("n", [1, 2, 1000, 20_000])
def test_smoothing_is_the_plain_recursion(weight, n):
    values = np.random.default_rng(0).normal(5, 100, n)
    np.testing.assert_allclose(smoothed(values, weight), plainly(values, weight), 1e-9)


def test_smoothing_goes_on_behind_nan_and_leaves_it_where_it_is():
    values = np.array([1.0, math.nan, 3.0, math.inf, 5.0])
    found = smoothed(values, 0.5)
    assert np.isnan(found[1])
    assert np.isinf(found[3])
    np.testing.assert_allclose(found[[0, 2, 4]], plainly([1, 3, 5], 0.5))
    assert smoothed(values, 0.0) is values
    assert len(smoothed(np.zeros(0), 0.5)) == 0


@pytest.fixture
def long_run(run):
    """A hundred thousand points with one spike up, one down, and one NaN."""
    values = np.sin(np.arange(100_000) / 900)
    values[[31_234, 77_777]] = 50.0, -50.0
    values[50_001] = math.nan
    for value in values.tolist():
        run.log(loss=value)
    return run


def test_spikes_and_nan_survive_and_a_zoom_brings_back_every_point(long_run):
    overlay = Overlay(long_run.store)
    long_run.store.journal.flush(20)
    whole = overlay.curve(long_run.id, Wanted("loss", points=400))
    assert len(whole.x) < 1000
    assert (whole.is_thinned, whole.n_points) == (True, 100_000)
    assert (np.nanmax(whole.y), np.nanmin(whole.y)) == (50.0, -50.0)
    assert 50_001 in whole.x[np.isnan(whole.y)]
    assert whole.x[0] == 0
    assert whole.x[-1] == 99_999
    near = overlay.curve(long_run.id, Wanted("loss", span=(31_200, 31_300), points=400))
    assert not near.is_thinned
    assert near.x.tolist() == list(range(31_199, 31_302))
    smooth = overlay.curve(long_run.id, Wanted("loss", smooth=0.9, points=400))
    assert len(smooth.smooth) == len(smooth.x)
    np.testing.assert_array_equal(smooth.y, whole.y)  # the raw line is not touched


def test_a_curve_is_drawn_over_steps_axes_times_and_other_metrics(run):
    for step in range(6):
        run.log({"loss": 6.0 - step, "tokens": step * 100}, step=step)
    for epoch in nbtrack.epochs(3):
        run.log(val=float(epoch))
    run.store.journal.flush(5)
    store, run_id = run.store, run.id
    x, y = read_xy(store, run_id, "loss", "tokens")
    assert x.tolist() == [0, 100, 200, 300, 400, 500]
    assert y.tolist() == [6, 5, 4, 3, 2, 1]
    x, _ = read_xy(store, run_id, "val", "epoch")
    assert x.tolist() == [0, 1, 2]
    seconds, _ = read_xy(store, run_id, "loss", "relative")
    wall, _ = read_xy(store, run_id, "loss", "time")
    assert 0 <= seconds[0] <= seconds[-1] < 60
    assert wall[0] > 1.7e9
    # Against itself backwards: x still rises.
    x, y = read_xy(store, run_id, "tokens", "loss")
    assert x.tolist() == [1, 2, 3, 4, 5, 6]
    assert read_xy(store, run_id, "loss", "nothing") is None
    assert read_xy(store, run_id, "nothing") is None


def test_a_group_is_its_own_runs_and_no_other(store_path):
    made = {}
    for group, base in (("a", 1.0), ("b", 100.0)):
        for seed in range(3):
            with nbtrack.start(group=group) as run:
                for step in range(0, 10, seed + 1):  # cadences of their own
                    run.log(loss=base + seed, step=step)
                if seed == 2:
                    run.log(loss=math.nan, step=50)
            made.setdefault(group, []).append(run.id)
    overlay, wanted = Overlay(nbtrack.open()), Wanted("loss")
    alone = overlay.band("a", made["a"], wanted)
    overlay.band("b", made["b"], wanted)
    beside = overlay.band("a", made["a"], wanted)
    for one, other in ((alone.y, beside.y), (alone.low, beside.low)):
        np.testing.assert_array_equal(one, other)
    assert (alone.n_runs, alone.low[0], alone.y[0], alone.high[0]) == (3, 1.0, 2.0, 3.0)
    # Where only two of them reach, only these count.
    assert alone.y[-1] == pytest.approx((alone.low[-1] + alone.high[-1]) / 2)
    assert overlay.band("c", [], wanted) is None
    assert overlay.band("a", made["a"], Wanted("nothing")) is None


def test_a_run_that_goes_on_is_read_again(run):
    run.log(loss=1.0)
    run.store.journal.flush(5)
    overlay = Overlay(run.store, most=2)
    assert len(overlay.curve(run.id, Wanted("loss")).x) == 1
    run.log(loss=2.0)
    run.store.journal.flush(5)
    assert len(overlay.curve(run.id, Wanted("loss")).x) == 2


def test_a_clicked_point_is_the_step_next_to_it(run):
    for step in range(0, 100, 10):
        run.log({"loss": 1.0, "tokens": step * 7}, step=step)
    run.store.journal.flush(5)
    overlay = Overlay(run.store)
    assert overlay.step_at(run.id, "loss", "step", 34.0) == 30
    assert overlay.step_at(run.id, "loss", "tokens", 500.0) == 70
    assert overlay.step_at(run.id, "nothing", "step", 1.0) is None
    assert overlay.step_at(run.id, "loss", "nothing", 1.0) is None
