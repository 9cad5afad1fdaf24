"""A fork shares its parent's points without a copy, in every reading."""

from __future__ import annotations

import pytest

import nbtrack
from nbtrack.errors import OptionError, RunNotFoundError

pytestmark = pytest.mark.usefixtures("plain_surroundings")


@pytest.fixture
def parent(store_path):
    with nbtrack.start("base", params={"lr": 0.1, "n": 5}) as run:
        for step in range(100):
            run.set_axis("epoch", step // 10)
            run.log(loss=100.0 - step, acc=step / 100)
    return run


def n_bytes_of_chunks(store):
    return store.sql("select coalesce(sum(length(body)), 0) from chunks")[1][0][0]


def test_a_fork_shows_the_past_it_shares_and_goes_on_behind_it(parent):
    with parent.fork(step=49, name="other", params={"lr": 0.01}) as fork:
        fork.log(loss=7.0)
    store = nbtrack.open()
    curve = store.curve(fork.id, "loss")
    assert list(curve.steps) == list(range(51))
    assert list(curve.values) == [100.0 - n for n in range(50)] + [7.0]
    assert list(curve.axes["epoch"])[:3] == [0, 0, 0]
    kept = store.run("other")
    assert (kept.forked_from, kept.fork_step) == (parent.id, 49)
    assert {n: p.value for n, p in kept.params.items()} == {"lr": 0.01, "n": 5}
    loss, acc = kept.metrics["loss"], kept.metrics["acc"]
    assert (loss.n, loss.best, loss.best_step, loss.last_step) == (51, 7.0, 50, 50)
    assert (acc.n, acc.last, acc.max) == (50, 0.49, 0.49)


def test_a_fork_copies_no_point(parent):
    store = nbtrack.open()
    before = n_bytes_of_chunks(store)
    with parent.fork(step=80, off="all"):
        pass
    assert n_bytes_of_chunks(store) == before


def test_a_tail_brings_what_is_shared_once_and_then_what_is_new(parent):
    with parent.fork(step=9) as fork:
        store = fork.store
        store.journal.flush()
        first = store.tail(fork.id)
        assert list(first.points["loss"][0]) == list(range(10))
        assert list(first.axes["loss"]["epoch"][0]) == [0]
        assert dict(store.tail(fork.id, first.cursor).points) == {}
        fork.log(loss=1.0)
        store.journal.flush()
        second = store.tail(fork.id, first.cursor)
        assert list(second.points["loss"][0]) == [10]
        whole = store.tail(fork.id)
        assert list(whole.points["loss"][0]) == list(range(11))


def test_forks_of_forks_share_through_the_chain(parent):
    with parent.fork(step=49) as first:
        first.log(loss=-1.0)
    with first.fork(step=50) as second:
        second.log(loss=-2.0)
    with second.fork(step=20) as third:
        third.log(loss=-3.0)
    store = nbtrack.open()
    assert list(store.curve(second.id, "loss").values)[-3:] == [51.0, -1.0, -2.0]
    assert list(store.curve(third.id, "loss").values)[-2:] == [80.0, -3.0]


def test_what_the_parent_logs_later_does_not_get_in(store_path):
    with nbtrack.start("base") as run:
        for step in range(5):
            run.log(loss=float(step), step=10 * step)
        with nbtrack.fork(run, step=30) as fork:
            pass
        run.log(loss=99.0, step=5)
    curve = nbtrack.open().curve(fork.id, "loss")
    assert list(curve.values) == [0.0, 1.0, 2.0, 3.0]


def test_purging_the_parent_gives_its_forks_what_they_shared(parent):
    with parent.fork(step=49, name="other") as fork:
        fork.log(loss=7.0)
    with fork.fork(step=30, name="grandchild"):
        pass
    store = nbtrack.open()
    before = [list(store.curve(n, "loss").values) for n in (fork.id,)]
    parent.store.purge(parent.id)
    assert [list(store.curve(n, "loss").values) for n in (fork.id,)] == before
    assert store.run("other").forked_from is None
    grandchild = store.run("grandchild")
    assert len(store.curve(grandchild.id, "loss")) == 31


def test_a_trashed_parent_still_lends_its_past(parent):
    from nbtrack.analysis import edits

    with parent.fork(step=4) as fork:
        pass
    edits.trash(nbtrack.open(), parent.id)
    assert len(nbtrack.open().curve(fork.id, "loss")) == 5


def test_a_fork_can_be_resumed(parent):
    with parent.fork(step=4) as fork:
        fork.log(loss=1.0)
    with nbtrack.start(resume=fork) as again:
        again.log(loss=2.0)
    assert list(nbtrack.open().curve(fork.id, "loss").steps) == list(range(7))


def test_slips_are_refused_with_the_way_out(parent):
    with pytest.raises(OptionError, match="no point up to step -1"):
        parent.fork(step=-1)
    with pytest.raises(RunNotFoundError):
        nbtrack.fork("nobody", step=1)


def test_the_view_of_points_has_what_is_shared_too(parent):
    with parent.fork(step=2) as fork:
        fork.log(loss=7.0)
    with fork.fork(step=1) as grandchild:
        pass
    store = nbtrack.open()
    columns = "step, value from points where metric = 'loss' and axis_of is null"
    found = store.sql(f"select {columns} and run = '{fork.id}' order by step")[1]
    assert found == [(0, 100.0), (1, 99.0), (2, 98.0), (3, 7.0)]
    found = store.sql(f"select {columns} and run = '{grandchild.id}' order by step")[1]
    assert found == [(0, 100.0), (1, 99.0)]
    [(n,)] = store.sql(
        f"select count(*) from points where run = '{parent.id}'"
        " and metric not glob 'system/*'"
    )[1]
    assert n == 220  # two metrics, and the epochs of each


def test_a_fork_of_a_live_run_stands_beside_it(store_path):
    with nbtrack.start("base") as run:
        run.log(loss=1.0)
        with run.fork(step=0) as fork:
            assert nbtrack.current() is fork
        assert nbtrack.current() is run
        with nbtrack.start("fold") as fold:
            pass
    store = nbtrack.open()
    assert store.run(fork.id).parent is None
    assert store.run(fold.id).parent == run.id


def test_renaming_in_the_parent_leaves_its_forks_alone(parent):
    with parent.fork(step=4) as fork:
        pass
    store = nbtrack.open()
    store.edits().rename_metric("loss", "other", runs=[parent.id])
    assert len(store.curve(fork.id, "loss")) == 5
    store.edits().delete_metric("other", runs=[parent.id])
    assert len(store.curve(fork.id, "loss")) == 5
    assert set(store.run(fork.id).metrics) == {"loss", "acc"}


def test_a_fork_shows_in_the_tables_and_is_never_counted_twice(parent):
    with parent.fork(step=9, name="other") as fork:
        fork.log(loss=0.5)
    frame = nbtrack.runs('name == "other"')
    row = frame.iloc[0]
    assert (row["best.loss"], row["best_step.loss"], row["metrics.acc"]) == (
        0.5, 10, 0.09
    )  # fmt: skip
