"""Metrics renamed, deleted and brought back by the functions that people call."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.analysis import edits as run_edits
from nbtrack.analysis.metric_edits import delete_metric, edits, rename_metric, undo
from nbtrack.analysis.runs_table import select
from nbtrack.errors import (
    MetricNotFoundError,
    OptionError,
    QueryError,
    RunNotFoundError,
    StoreError,
)

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def logged(name, experiment="digits", **metrics):
    with nbtrack.start(name, experiment=experiment, off="all") as run:
        run.log(metrics)
    return run.id


@pytest.fixture
def three(store_path):
    return [
        logged("one", loss=1.0, acc=0.1),
        logged("two", loss=2.0),
        logged("none", "letters", other=3.0),
    ]


def test_a_renamed_metric_has_its_columns_and_comes_back(three):
    before = nbtrack.runs()
    edit = rename_metric("loss", "train loss")
    assert (edit.kind, edit.runs) == ("rename_metric", tuple(three[:2]))
    frame = nbtrack.runs()
    assert frame["best.train loss"].tolist()[1:] == [2.0, 1.0]
    assert not [name for name in frame.columns if name.endswith(".loss")]
    assert nbtrack.curve("one", "train loss")["value"].tolist() == [1.0]
    assert nbtrack.runs("metrics['train loss'] < 1.5")["name"].tolist() == ["one"]
    undo()
    assert nbtrack.runs().equals(before)


def test_a_deleted_metric_has_no_columns_and_comes_back(three):
    before = nbtrack.runs()
    delete_metric("loss")
    assert not [name for name in nbtrack.runs().columns if name.endswith(".loss")]
    with pytest.raises(MetricNotFoundError):
        nbtrack.curve("one", "loss")
    assert nbtrack.sql("select * from points where metric = 'loss'").empty
    undo()
    assert nbtrack.runs().equals(before)


def test_runs_are_chosen_by_a_query_or_by_name(three):
    assert rename_metric("loss", "a", "loss > 1.5").runs == (three[1],)
    assert rename_metric("loss", "b", ["one"]).runs == (three[0],)
    assert delete_metric("a", nbtrack.runs("a > 0")["id"]).runs == (three[1],)


def test_a_slip_is_refused_and_changes_nothing(three):
    before = nbtrack.runs()
    for slip, error in (
        (lambda: rename_metric("lss", "x"), MetricNotFoundError),
        (lambda: rename_metric("loss", "x", ["one", "none"]), MetricNotFoundError),
        (lambda: rename_metric("loss", "x", ["one", "nope"]), RunNotFoundError),
        (lambda: rename_metric("loss", "x", "loss > 99"), OptionError),
        (lambda: rename_metric("loss", "x", "loss >"), QueryError),
        (lambda: rename_metric("loss", "acc"), StoreError),
        (lambda: rename_metric("loss", " loss "), OptionError),
        (lambda: rename_metric("loss", "  "), OptionError),
        (lambda: rename_metric("loss", "system/x"), OptionError),
        (lambda: delete_metric("lss"), MetricNotFoundError),
        (lambda: undo(), OptionError),
        (lambda: undo(3), OptionError),
    ):
        with pytest.raises(error):
            slip()
    assert nbtrack.runs().equals(before)
    assert edits().empty


def test_a_renamed_metric_without_a_goal_gets_that_of_its_name(store_path):
    with nbtrack.start("base", off="all") as run:
        for value in (0.5, 0.1, 0.3):
            run.log(mine=value)
    rename_metric("mine", "val_loss")
    assert nbtrack.runs()["best.val_loss"].tolist() == [0.1]
    undo()
    assert nbtrack.runs()["best.mine"].tolist() == [0.3]


def test_a_secret_in_the_new_name_is_not_kept(three):
    edit = rename_metric("loss", "loss sk-proj-" + "aB3dE6gH9jK2" * 4)
    assert "aB3dE6gH9jK2" not in str(edit)


def test_what_was_done_is_listed_newest_first(three):
    rename_metric("loss", "a")
    delete_metric("acc")
    undo(1)
    frame = edits()
    assert frame["id"].tolist() == [2, 1]
    assert frame["what"].tolist() == [
        "metric acc deleted in 1 run",
        "metric loss is now a in 2 runs",
    ]
    assert frame["n_runs"].tolist() == [1, 2]
    assert frame["undone_at"].isna().tolist() == [True, False]


def test_many_runs_go_to_the_trash_and_come_back_at_once(three):
    store = nbtrack.open()
    edit = run_edits.trash_all(store, "loss > 0")
    assert edit.text == "2 runs put in the trash: loss > 0"
    assert nbtrack.runs()["name"].tolist() == ["none"]
    assert nbtrack.runs(trashed=True)["name"].tolist() == ["two", "one"]
    assert nbtrack.runs("loss > 1", trashed=True)["name"].tolist() == ["two"]
    undo()
    assert len(select(store)) == 3


def test_runs_of_a_bulk_trash_are_restored_or_purged_one_by_one(three):
    store = nbtrack.open()
    run_edits.trash_all(store, "loss > 0")
    run_edits.restore(store, three[0])
    run_edits.trash(store, three[0])  # again, by itself: undoing leaves it there
    store.purge(three[1])
    undo()
    assert nbtrack.runs(trashed=True)["id"].tolist() == [three[0]]
    assert len(store.runs(trashed=None)) == 2


def test_a_bulk_trash_needs_a_query_that_finds_runs(three):
    store = nbtrack.open()
    for query in ("", "  ", "loss > 99"):
        with pytest.raises(OptionError):
            run_edits.trash_all(store, query)
    assert len(select(store)) == 3


def test_an_experiment_is_renamed_over_its_runs_and_back(three):
    store = nbtrack.open()
    edit = run_edits.rename_experiment(store, "digits", "letters")
    assert edit.runs == tuple(three[:2])
    assert set(nbtrack.runs()["experiment"]) == {"letters"}
    undo()
    assert nbtrack.runs()["experiment"].tolist() == ["letters", "digits", "digits"]
    with pytest.raises(OptionError, match="Did you mean digits"):
        run_edits.rename_experiment(store, "digit", "x")
    run_edits.rename_experiment(store, "digits", "a")
    run_edits.rename_experiment(store, "a", "b")
    with pytest.raises(StoreError, match="given to 'b' since"):
        undo(2)
