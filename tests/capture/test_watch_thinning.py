"""Tight loops: what is left out, and that the picture stays true."""

from __future__ import annotations

import math

from watching import RecordingSink

from nbtrack.capture.watch_recorder import KEPT_FIRST, Recorder


class Clock:
    """A clock on which every hit takes the same time."""

    def __init__(self, pace_s: float) -> None:
        self.now, self.pace_s = 1000.0, pace_s

    def __call__(self) -> float:
        return self.now


def record(values, pace_s, axes=(), outer=None):
    sink, clock = RecordingSink(), Clock(pace_s)
    recorder = Recorder("loss", sink, axes=axes, clock=clock)
    for number, value in enumerate(values):
        clock.now += pace_s
        recorder.hit(value, outer(number) if outer else ())
    recorder.finish()
    return sink, recorder


def test_iterations_of_100_us_keep_every_point():
    sink, recorder = record([float(i) for i in range(5000)], 100e-6)
    assert len(sink.points) == 5000
    assert recorder.largest_k == 1
    assert not sink.thinning


def test_short_loops_keep_every_point_however_tight():
    sink, _ = record([float(i) for i in range(KEPT_FIRST)], 1e-6)
    assert len(sink.points) == KEPT_FIRST


def test_tight_loops_are_thinned_and_say_so():
    sink, recorder = record([math.sin(i / 50) for i in range(50_000)], 5e-6)
    assert sink.thinning == {"loss": recorder.largest_k}
    assert recorder.largest_k >= 64
    assert len(sink.points) < 6000


def test_first_last_and_extreme_values_survive_with_their_steps():
    values = [math.sin(i / 500) for i in range(50_000)]
    values[31_234], values[40_321], values[47_111] = 7.0, -9.0, math.nan
    sink, _ = record(values, 5e-6)
    kept = dict(sink.steps_and_values("loss"))
    assert kept[0] == values[0]
    assert kept[49_999] == values[-1]
    assert kept[31_234] == 7.0
    assert kept[40_321] == -9.0
    assert math.isnan(kept[47_111])
    assert all(v == values[s] for s, v in kept.items() if v == v)


def test_a_falling_loss_is_thinned_as_well():
    sink, _ = record([1 / (i + 1) for i in range(50_000)], 5e-6)
    assert len(sink.points) < 6000
    assert sink.values("loss")[-1] == 1 / 50_000


def test_a_loop_that_becomes_slow_keeps_every_point_again():
    sink, clock = RecordingSink(), Clock(0)
    recorder = Recorder("loss", sink, clock=clock)
    for i in range(6000):
        clock.now += 5e-6 if i < 5000 else 1e-3
        recorder.hit(float(i))
    recorder.finish()
    last = [step for step, _ in sink.steps_and_values("loss") if step >= 5500]
    assert last == list(range(5500, 6000))


def test_counters_of_thinned_points_are_right():
    sink, _ = record(
        [math.sin(i) for i in range(30_000)],
        5e-6,
        axes=("epoch", "i"),
        outer=lambda n: (n // 700, n % 700),
    )
    steps = [step for step, _ in sink.steps_and_values("loss")]
    assert len(steps) < 6000
    assert sink.axis("loss", "epoch") == [step // 700 for step in steps]
    assert sink.axis("loss", "i") == [step % 700 for step in steps]


def test_other_number_types_are_thinned_with_their_extremes():
    import numpy as np

    values = [np.float32(math.sin(i / 500)) for i in range(20_000)]
    values[15_000] = np.float32(4)
    sink, recorder = record(values, 5e-6)
    assert recorder.largest_k > 1
    assert dict(sink.steps_and_values("loss"))[15_000] == 4.0


def test_the_end_of_an_inner_loop_writes_its_last_value():
    sink, clock = RecordingSink(), Clock(5e-6)
    recorder = Recorder("loss", sink, clock=clock)
    for i in range(3000):
        clock.now += 5e-6
        recorder.hit(float(i % 7))
    recorder.flush()
    assert sink.steps_and_values("loss")[-1] == (2999, float(2999 % 7))
