from __future__ import annotations

import math

import pytest

from nbtrack.analysis.decimate import POINTS_MAX
from nbtrack.analysis.series_feed import SeriesFeed


class Viewer:
    """What a page has after applying the deltas, as `shared/model.ts` does."""

    def __init__(self, feed: SeriesFeed) -> None:
        self.feed = feed
        self.columns: dict[str, list[float]] = {}

    def refresh(self) -> Viewer:
        delta = self.feed.delta()
        if delta is not None:
            new = {"step": delta.steps, "value": delta.values, **delta.axes}
            for name, column in new.items():
                old = self.columns.get(name, [math.nan] * delta.start)
                assert delta.start <= len(old)
                self.columns[name] = [*old[: delta.start], *column]
        return self

    def __getattr__(self, name: str) -> list[float]:
        return self.columns[name]


def _add(feed, steps, values=None, axes=None):
    steps = list(steps)
    values = [float(step) for step in steps] if values is None else list(values)
    feed.add((steps, values, [float(step) for step in steps]), axes)


def test_a_delta_holds_only_what_is_new():
    feed = SeriesFeed("loss")
    _add(feed, range(3))
    feed.delta()

    _add(feed, [3, 4])

    delta = feed.delta()
    assert (delta.start, list(delta.steps)) == (3, [3, 4])
    assert feed.delta() is None


def test_a_step_logged_again_replaces_its_value():
    feed = SeriesFeed("loss")
    viewer = Viewer(feed)
    _add(feed, range(5))
    viewer.refresh()

    _add(feed, [2, 1], [20.0, 10.0])

    assert viewer.refresh().value == [0.0, 10.0, 20.0, 3.0, 4.0]


def test_steps_that_come_out_of_order_in_one_batch_are_sorted():
    feed = SeriesFeed("loss")

    _add(feed, [5, 1, 3])

    assert list(feed.delta().steps) == [1, 3, 5]


def test_an_axis_is_carried_forward_between_its_changes():
    feed = SeriesFeed("loss")

    _add(feed, range(6), axes={"epoch": ([0, 3], [0.0, 1.0], [0, 0])})

    assert list(feed.delta().axes["epoch"]) == [0, 0, 0, 1, 1, 1]


def test_an_axis_that_comes_after_its_points_reaches_the_viewer():
    feed = SeriesFeed("loss")
    viewer = Viewer(feed)
    _add(feed, range(4), axes={"epoch": ([0], [0.0], [0])})
    viewer.refresh()

    _add(feed, [4], axes={"epoch": ([3], [1.0], [0])})

    assert viewer.refresh().epoch == [0, 0, 0, 1, 1]


def test_an_axis_change_without_points_is_sent_too():
    feed = SeriesFeed("loss")
    viewer = Viewer(feed)
    _add(feed, range(3), axes={"epoch": ([0], [0.0], [0])})
    viewer.refresh()

    feed.add(((), (), ()), {"epoch": ([2], [1.0], [0])})

    assert viewer.refresh().epoch == [0, 0, 1]


def test_up_to_the_limit_every_point_is_passed_on():
    feed = SeriesFeed("loss")

    _add(feed, range(POINTS_MAX))

    assert len(feed.delta().steps) == POINTS_MAX


@pytest.mark.parametrize("batch", [7, 1_000, 300_000])
def test_a_spike_in_a_long_series_survives_however_it_comes(batch):
    feed, n = SeriesFeed("loss"), 300_000
    viewer = Viewer(feed)
    values = [math.sin(i / 1000) for i in range(n)]
    values[123_457], values[222_222] = 99.0, -99.0

    for begin in range(0, n, batch):
        _add(feed, range(begin, min(begin + batch, n)), values[begin : begin + batch])
        if begin % (batch * 50) == 0:
            viewer.refresh()

    viewer.refresh()
    assert max(viewer.value) == 99.0
    assert min(viewer.value) == -99.0
    assert viewer.step[-1] == n - 1
    assert viewer.step == sorted(set(viewer.step))
    assert POINTS_MAX / 4 <= len(viewer.step) <= POINTS_MAX + 2


def test_nan_of_a_long_series_stays_visible():
    feed = SeriesFeed("loss")
    values = [1.0] * 100_000
    values[54_321] = math.nan

    _add(feed, range(100_000), values)

    assert any(math.isnan(value) for value in feed.delta().values)


def test_axes_stay_beside_their_points_when_a_series_is_reduced():
    feed = SeriesFeed("loss")
    epochs = ([i * 100 for i in range(500)], [float(i) for i in range(500)], [0] * 500)

    _add(feed, range(50_000), axes={"epoch": epochs})

    delta = feed.delta()
    pairs = zip(delta.steps, delta.axes["epoch"], strict=True)
    assert all(epoch == step // 100 for step, epoch in pairs)


def test_all_the_data_is_the_same_as_the_deltas_together():
    feed = SeriesFeed("loss")
    viewer = Viewer(feed)
    for begin in range(0, 40_000, 999):
        _add(feed, range(begin, begin + 999))
        viewer.refresh()

    full = feed.delta(full=True)

    assert full.start == 0
    assert list(full.steps) == viewer.step
