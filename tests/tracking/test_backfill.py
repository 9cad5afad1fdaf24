"""A run of another year is filled in with its own times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.guard import guard

pytestmark = pytest.mark.usefixtures("plain_surroundings")

START = datetime(2019, 5, 1, 12, 0, tzinfo=UTC)


def test_start_end_steps_and_times_are_those_given(store_path):
    with nbtrack.start("of 2019", started_at=START) as run:
        for step in range(3):
            run.log(loss=1.0 / (step + 1), step=10 * step,
                    at=START + timedelta(minutes=step))  # fmt: skip
        run.finish(ended_at="2019-05-01T12:10:00+00:00")
    kept = run.record()
    assert (kept.started_at, kept.ended_at, kept.duration_s) == (
        "2019-05-01T12:00:00.000000Z", "2019-05-01T12:10:00.000000Z", 600.0
    )  # fmt: skip
    curve = nbtrack.open().curve(run.id, "loss")
    assert list(curve.steps) == [0, 10, 20]
    assert list(curve.at) == [START.timestamp() + 60 * n for n in range(3)]


@pytest.mark.parametrize(
    "moment",
    ["2019-05-01T14:00:00+02:00", "2019-05-01 12:00:00", START.timestamp(),
     START.astimezone(timezone(timedelta(hours=5))), START.replace(tzinfo=None)],
)  # fmt: skip
def test_a_time_can_be_said_in_many_ways(store_path, moment):
    with nbtrack.start(started_at=moment) as run:
        pass
    assert run.record().started_at == "2019-05-01T12:00:00.000000Z"


def test_what_is_no_time_is_refused_with_the_value(store_path):
    with pytest.raises(OptionError, match="started_at='yesterday' is no time"):
        nbtrack.start(started_at="yesterday")
    with nbtrack.start(started_at=START) as run:
        with pytest.raises(OptionError, match="is before the run's start"):
            run.finish(ended_at=START.timestamp() - 1)
        run.log(loss=1.0, at="soon")
        assert guard.failures[f"at: {run.id}"] == 1
    assert run.record().metrics["loss"].n == 1


def test_old_runs_stand_behind_new_ones(store_path):
    with nbtrack.start("new"):
        pass
    with nbtrack.start("old", started_at=START):
        pass
    assert [run.name for run in nbtrack.open().runs()] == ["new", "old"]
