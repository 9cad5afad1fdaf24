"""Runs as a frame, curves as a frame, SQL as a frame, and changes to runs."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import nbtrack
from nbtrack.analysis import edits
from nbtrack.analysis.runs_table import frame_of, select
from nbtrack.errors import OptionError, QueryError, RunNotFoundError, StoreError

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def three(store_path):
    """Runs `slow`, `quick` and `bare`, in this order."""
    with nbtrack.start("slow", params={"lr": 0.1, "n": 1}, tags=["a", "d: x"]) as run:
        for step, loss in enumerate([0.9, 0.2, 0.4]):
            run.log({"loss": loss, "acc": 1 - loss}, step=10 * step)
    with nbtrack.start(
        "quick", experiment="digits", params={"lr": 1, "opt": {"b": [1]}, "on": True}
    ) as run:
        run.log(loss=0.3, acc=math.nan)
    with nbtrack.start("bare", params={"lr": 0.5, "on": False}):
        pass
    return nbtrack.open()


def test_a_row_has_the_columns_that_are_promised(three):
    frame = nbtrack.runs()
    fixed = ["id", "name", "experiment", "status", "started_at", "duration_s", "tags"]
    assert list(frame.columns)[:7] == fixed
    assert frame["name"].tolist() == ["bare", "quick", "slow"]
    slow = frame[frame["name"] == "slow"].iloc[0]
    assert slow["tags"] == ["a", "d: x"]
    assert slow[["params.lr", "params.n"]].tolist() == [0.1, 1]
    assert slow[["metrics.loss", "best.loss", "best_step.loss"]].tolist() == [
        0.4,
        0.2,
        10,
    ]
    assert slow["best.acc"] == 0.8


def test_runs_can_be_chosen_and_sorted_by_their_grade(three):
    for name, grade in (("slow", "D"), ("quick", "A")):
        change = {"kind": "run_changed", "run": three.run(name).id}
        three.journal.emit({**change, "fields": {"grade": grade}})
    assert three.journal.flush()
    assert nbtrack.runs()["grade"].tolist() == [None, "A", "D"]
    assert nbtrack.runs("grade > 'B'")["name"].tolist() == ["slow"]
    assert nbtrack.runs(sort="-grade")["name"].tolist() == ["slow", "quick", "bare"]


def test_columns_have_the_types_of_their_values(three):
    types = nbtrack.runs().dtypes
    assert isinstance(types["started_at"], pd.DatetimeTZDtype)
    assert types["duration_s"] == "float64"
    assert types["params.lr"] == "float64"
    assert types["params.n"] == "Int64"
    assert types["params.on"] == "boolean"
    assert types["metrics.loss"] == "float64"
    assert types["best_step.loss"] == "Int64"
    assert nbtrack.runs("name == 'quick'")["params.lr"].dtype == "int64"


def test_an_empty_store_gives_an_empty_frame_with_columns(store_path):
    frame = nbtrack.runs()
    assert len(frame) == 0
    assert frame["started_at"].dtype == pd.DatetimeTZDtype("us", "UTC") or (
        isinstance(frame["started_at"].dtype, pd.DatetimeTZDtype)
    )
    assert frame_of(nbtrack.open().table()).columns.tolist() == frame.columns.tolist()


def test_a_query_chooses_and_missing_values_leave_out(three):
    assert nbtrack.runs("loss < .25")["name"].tolist() == ["slow"]
    assert nbtrack.runs("not loss < .25")["name"].tolist() == ["quick"]
    assert nbtrack.runs('"a" in tags or params.on')["name"].tolist() == [
        "quick",
        "slow",
    ]


def test_sorting_puts_the_best_first_and_the_missing_last(three):
    def names(sort):
        return nbtrack.runs(sort=sort)["name"].tolist()

    assert names("loss") == ["slow", "quick", "bare"]
    assert names("-loss") == ["quick", "slow", "bare"]
    assert names("acc") == ["slow", "bare", "quick"] or names("acc")[0] == "slow"
    assert names("params.lr") == ["slow", "bare", "quick"]
    assert names("-params.lr") == ["quick", "bare", "slow"]
    assert names("name") == ["bare", "quick", "slow"]
    assert names("started_at") == ["slow", "quick", "bare"]
    with pytest.raises(QueryError, match="Did you mean loss"):
        names("lss")


def test_what_only_other_runs_have_is_no_slip_of_the_pen(three):
    with pytest.raises(QueryError, match="None of the runs that are shown has it"):
        nbtrack.runs(sort="-loss", last=1)
    with pytest.raises(QueryError, match="Did you mean loss"):
        nbtrack.runs(sort="los", last=1)


def test_mixed_types_have_an_order(store_path):
    for value in ("x", 2, None, 1, [3]):
        with nbtrack.start("run", params={"v": value}):
            pass
    table = select(nbtrack.open(), sort="v")
    order = [table.params["v"][run] for run in table.ids]
    assert order == [1, 2, "x", [3], None]


def test_last_takes_the_newest_that_answer(three):
    assert nbtrack.runs("loss < 1", last=1)["name"].tolist() == ["quick"]
    assert nbtrack.runs(last=0).empty
    with pytest.raises(OptionError):
        nbtrack.runs(last=-1)


def test_a_curve_has_steps_values_times_and_axes(store_path):
    with nbtrack.start("base") as run:
        for epoch in range(2):
            run.set_axis("epoch", epoch)
            for batch in range(3):
                run.log({"loss": epoch + batch / 10}, step=10 * epoch + batch)
    frame = nbtrack.curve("base", "loss")
    assert frame["step"].tolist() == [0, 1, 2, 10, 11, 12]
    assert frame["value"].tolist() == [0, 0.1, 0.2, 1, 1.1, 1.2]
    assert frame["epoch"].tolist() == [0, 0, 0, 1, 1, 1]
    assert isinstance(frame["at"].dtype, pd.DatetimeTZDtype)
    with pytest.raises(RunNotFoundError):
        nbtrack.curve("nope", "loss")


def test_sql_reads_and_never_writes(three):
    frame = nbtrack.sql(
        "select name, count(*) as n from points join runs on runs.id = points.run "
        "where metric = 'loss' group by name"
    )
    assert dict(frame.itertuples(index=False)) == {"quick": 1, "slow": 3}
    with pytest.raises(StoreError):
        nbtrack.sql("delete from runs")


def test_runs_are_renamed_tagged_noted_trashed_and_restored(three):
    assert edits.rename(three, "slow", " slower ").name == "slower"
    assert dict(edits.tag(three, "slower", "b", "d: y").tags) == {
        "a": None,
        "b": None,
        "d": "y",
    }
    assert list(edits.untag(three, "slower", "a", "d", "nope").tags) == ["b"]
    assert edits.note(three, "slower", "a\nb").notes == "a\nb"
    assert edits.trash(three, "slower").trashed_at.endswith("Z")
    assert "slower" not in nbtrack.runs()["name"].tolist()
    assert list(select(three, trashed=True).fields["name"]) == ["slower"]
    assert edits.restore(three, "slower").trashed_at is None
    assert "slower" in nbtrack.runs()["name"].tolist()


def test_a_change_that_makes_no_sense_is_refused(three):
    with pytest.raises(OptionError):
        edits.rename(three, "slow", "  ")
    with pytest.raises(RunNotFoundError):
        edits.trash(three, "nope")


def test_a_chosen_table_is_part_of_the_whole(three):
    whole, some = three.table(), three.table(ids=["nope", three.run("slow").id])
    assert list(some.fields["name"]) == ["slow"]
    assert (
        nbtrack.runs("name == 'slow'").columns.tolist()
        == frame_of(some).columns.tolist()
    )
    assert frame_of(whole.take(some.ids)).equals(frame_of(some))


def test_a_table_says_what_records_say(three):
    table = three.table()
    for at, record in enumerate(three.runs()):
        for name, values in table.fields.items():
            assert values[at] == getattr(record, name)
        assert table.tags.get(record.id, {}) == record.tags
        params = {
            n: runs[record.id] for n, runs in table.params.items() if record.id in runs
        }
        assert params == {name: param.value for name, param in record.params.items()}
        for name, metric in record.metrics.items():
            for field in ("last", "best", "best_step", "min", "max"):
                found = table.metric(name, field, None)[at]
                assert repr(found) == repr(getattr(metric, field))


def test_many_chosen_runs_come_in_their_order(store_path):
    for n in range(120):
        with nbtrack.start("run", params={"n": n}) as run:
            run.log(acc=n % 7)
    best = nbtrack.runs("acc > 0", sort="acc")
    assert len(best) == 120 - 18
    assert (
        best["best.acc"].tolist()
        == sorted((n % 7 for n in range(120)), reverse=True)[:102]
    )
    assert nbtrack.runs("acc > 0", sort="-params.n", last=3)["params.n"].tolist() == [
        118,
        117,
        116,
    ]
