"""Metrics renamed and deleted afterwards: undone bit by bit, or refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nbtrack
from nbtrack.errors import MetricNotFoundError, OptionError, StoreError


def logged(name, **metrics):
    """A finished run that logged these, two points each, along epochs."""
    with nbtrack.start(name, off="all") as run:
        for step in range(2):
            run.set_axis("epoch", step)
            run.log({key: value + step / 3 for key, value in metrics.items()})
    return run.id


def everything(store):
    """All that an edit may touch, byte for byte."""
    return [
        store.sql(f"select * from {table} order by id")[1]
        for table in ("metrics", "chunks", "checkpoints", "runs")
    ]


@pytest.fixture
def two(store_path):
    return [logged("one", loss=1.0, acc=0.1), logged("two", loss=2.0, lr=0.1)]


@pytest.fixture
def store(two):
    return nbtrack.open()


def test_a_renamed_metric_is_the_same_in_every_reading(two, store):
    before = [store.curve(run, "loss") for run in two]
    edit = store.edits().rename_metric("loss", "train_loss", two)
    assert str(edit) == "edit 1: metric loss is now train_loss in 2 runs"
    for run, old in zip(two, before, strict=True):
        new = store.curve(run, "train_loss")
        assert (new.steps, new.values, new.at) == (old.steps, old.values, old.at)
        assert new.axes == old.axes
        assert store.run(run).metrics["train_loss"].goal == "min"
        assert "loss" not in store.run(run).metrics
        assert set(store.tail(run).points) >= {"train_loss"}
    names = store.sql("select distinct metric, axis_of from points")[1]
    assert "loss" not in [name for pair in names for name in pair]


def test_undoing_brings_every_byte_back(two, store):
    before = everything(store)
    store.edits().rename_metric("loss", "train_loss", two)
    store.edits().delete_metric("acc", two)
    store.edits().rename_metric("lr", "step_loss", two)
    assert store.run("two").metrics["step_loss"].goal == "min"
    assert everything(store) != before
    for _ in range(3):
        store.edits().undo()
    assert everything(store) == before
    with pytest.raises(OptionError, match="nothing to undo"):
        store.edits().undo()


def test_edits_may_be_undone_in_another_order(two, store):
    before = everything(store)
    store.edits().rename_metric("loss", "train_loss", two)
    store.edits().delete_metric("train_loss", two)
    store.edits().delete_metric("acc", two)
    store.edits().undo(1)
    assert "loss" not in store.run("one").metrics
    store.edits().undo(2)
    store.edits().undo(3)
    assert everything(store) == before
    with pytest.raises(OptionError, match="undone already"):
        store.edits().undo(2)
    with pytest.raises(OptionError, match="no edit 9"):
        store.edits().undo(9)


def test_a_deleted_metric_is_nowhere_and_its_points_are_kept(two, store):
    edit = store.edits().delete_metric("loss", two)
    assert edit.text == "metric loss deleted in 2 runs"
    assert "loss" not in store.table().metrics
    with pytest.raises(MetricNotFoundError):
        store.curve(two[0], "loss")
    tail = store.tail(two[0])
    assert "loss" not in tail.points
    assert "loss" not in tail.axes
    for view in ("points", "summaries"):
        name = "metric" if view == "points" else "name"
        assert store.sql(f"select * from {view} where {name} = 'loss'")[1] == []
    assert store.sql("select count(*) from chunks")[1][0][0] > 4


def test_a_name_that_is_taken_is_refused_and_nothing_changes(two, store):
    before = everything(store)
    with pytest.raises(StoreError, match=r"'lr' is there already in two \("):
        store.edits().rename_metric("loss", "lr", two)
    assert everything(store) == before
    assert store.edits().all() == []


def test_undoing_is_refused_where_the_old_name_is_taken_by_now(two, store):
    store.edits().rename_metric("loss", "train_loss", two)
    store.edits().rename_metric("acc", "loss", two)
    with pytest.raises(StoreError, match=r"'loss' is there already in one \("):
        store.edits().undo(1)
    assert store.edits().all()[0].undone_at is None
    store.edits().delete_metric("lr", two)
    store.edits().rename_metric("train_loss", "lr", [two[1]])
    with pytest.raises(StoreError, match=r"'lr' is there already in two \("):
        store.edits().undo(3)


def test_undoing_asks_for_the_later_rename_first(two, store):
    before = everything(store)
    store.edits().rename_metric("loss", "a", two)
    store.edits().rename_metric("a", "b", two)
    with pytest.raises(StoreError, match="undo edit 2 first"):
        store.edits().undo(1)
    store.edits().undo(2)
    store.edits().undo(1)
    assert everything(store) == before


def test_an_unknown_metric_names_a_near_one(two, store):
    with pytest.raises(MetricNotFoundError, match="Did you mean loss"):
        store.edits().delete_metric("lss", two)
    with pytest.raises(MetricNotFoundError, match="There are acc, loss, lr"):
        store.edits().rename_metric("zzzz", "x", two)


def test_a_run_that_goes_on_is_refused_by_name(two, store):
    with nbtrack.start("live", off="all") as run:
        run.log(loss=1.0)
        run.store.journal.flush()
        ids = [*two, run.id]
        with pytest.raises(StoreError, match=r"Still running: live \("):
            store.edits().rename_metric("loss", "x", ids)
        with pytest.raises(StoreError, match="stop it first"):
            store.edits().delete_metric("loss", ids)
    assert store.edits().rename_metric("loss", "x", ids).runs == tuple(ids)


DIES = """
import os, nbtrack
run = nbtrack.start("dead", off="all")
run.log(loss=1.0)
run.store.journal.flush()
os._exit(1)
"""


def test_a_crashed_run_can_be_changed(two, store):
    subprocess.run([sys.executable, "-c", DIES], stderr=subprocess.DEVNULL)
    dead = store.run("dead")
    assert dead.status == "crashed"
    store.edits().rename_metric("loss", "x", [dead.id])
    assert list(store.run("dead").metrics) == ["x"]


def test_numbers_beside_checkpoints_follow(store_path, tmp_path):
    with nbtrack.start("base", off="all") as run:
        run.log(acc=0.5, loss=1.0, lr=0.1)
        path = tmp_path / "model.bin"
        path.write_bytes(b"weights")
        run.checkpoint(path)
    store = nbtrack.open()

    def beside():
        return list(store.run(run.id).checkpoints[0].metrics.items())

    before = beside()
    assert dict(before)["loss"] == 1.0
    store.edits().rename_metric("loss", "x", [run.id])
    assert [name for name, _ in beside()] == [
        "x" if name == "loss" else name for name, _ in before
    ]
    store.edits().delete_metric("x", [run.id])
    assert "x" not in dict(beside())
    store.edits().undo(1)
    store.edits().undo(2)
    assert beside() == before


def test_a_fork_keeps_the_past_that_its_parent_renames_or_deletes(store_path):
    with nbtrack.start("base", off="all") as run:
        for step in range(10):
            run.log(loss=float(step))
    with run.fork(step=4, name="other", off="all"):
        pass
    store = nbtrack.open()
    fork = store.run("other").id
    before = store.curve(fork, "loss").values
    store.edits().rename_metric("loss", "x", [run.id])
    store.edits().delete_metric("x", [run.id])
    assert store.curve(fork, "loss").values == before
    store.edits().rename_metric("loss", "mine", [fork])
    assert store.curve(fork, "mine").values == before


def test_a_resumed_run_logs_beside_the_renamed_metric_not_into_it(two, store):
    store.edits().rename_metric("loss", "old_loss", two)
    with nbtrack.start("one", resume=two[0], off="all") as run:
        run.log(loss=7.0)
    metrics = store.run(two[0]).metrics
    assert (metrics["loss"].n, metrics["old_loss"].n) == (1, 2)
    with pytest.raises(StoreError, match=r"'loss' is there already in one \("):
        store.edits().undo()


def test_a_purged_run_is_not_in_the_edits_any_more(two, store):
    store.edits().rename_metric("loss", "secret-name", two)
    store.purge(two[0])
    assert store.edits().all()[0].runs == (two[1],)
    store.edits().undo()
    assert "loss" in store.run("two").metrics
    store.purge(two[1])
    assert store.edits().all() == []


def test_a_hundred_runs_are_one_edit(store_path):
    store = nbtrack.open()
    ids = [f"r{n}" for n in range(100)]
    for run in ids:
        store.journal.emit({"kind": "run_started", "run": run})
        store.journal.point(store.journal.series(run, "loss"), 0, 1.0, 1e9)
        store.journal.emit({"kind": "run_finished", "run": run, "status": "finished"})
    edit = store.edits().rename_metric("loss", "x", ids)
    assert len(edit.runs) == 100
    assert all(list(record.metrics) == ["x"] for record in store.runs())
    store.edits().undo(edit.id)
    assert all(list(record.metrics) == ["loss"] for record in store.runs())


def test_an_edit_that_fails_half_way_changes_nothing(two, store, monkeypatch):
    from nbtrack.store import metric_edits

    def full(*_):
        raise OSError("disk full")

    before = everything(store)
    monkeypatch.setattr(metric_edits, "_rename_beside_checkpoints", full)
    with pytest.raises(OSError, match="disk full"):
        store.edits().rename_metric("loss", "x", two)
    assert everything(store) == before
