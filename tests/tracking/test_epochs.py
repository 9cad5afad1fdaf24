"""A loop over epochs that the run knows of."""

import gc

import pytest

import nbtrack
from nbtrack.errors import OptionError, RunStopped
from nbtrack.tracking.epochs import progress_of

pytestmark = pytest.mark.usefixtures("plain_surroundings")


def params_of(run):
    return {name: p.value for name, p in run.record().params.items()}


def epochs_of(run, metric):
    curve = run.store.curve(run.id, metric)
    return dict(zip(curve.steps, curve.axes["epoch"], strict=True))


def test_metrics_inside_have_the_epoch_as_axis(run):
    seen = []
    for epoch in nbtrack.epochs(3):
        seen.append(epoch)
        for _ in range(2):
            nbtrack.log(loss=1.0)
    nbtrack.log(test_acc=0.9)
    run.finish()
    assert seen == [0, 1, 2]
    assert epochs_of(run, "loss") == {0: 0, 1: 0, 2: 1, 3: 1, 4: 2, 5: 2}
    assert "epoch" not in run.store.curve(run.id, "test_acc").axes
    assert params_of(run) == {"epochs": 3}


def test_a_break_and_an_exception_show_how_far_it_got(run):
    for epoch in nbtrack.epochs(10):
        if epoch == 3:
            break
    assert params_of(run)["epochs.done"] == 4
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the loop is the subject
        for epoch in nbtrack.epochs(5):
            1 / (1 - epoch)
    assert params_of(run) == {"epochs": 5, "epochs.done": 2}
    assert progress_of(run) is None


def test_without_a_run_it_is_a_range(store_path, capfd):
    loop = nbtrack.epochs(3)
    assert (list(loop), list(loop), len(loop)) == ([0, 1, 2], [0, 1, 2], 3)
    assert not store_path.exists()
    assert capfd.readouterr().err == ""


def test_stop_ends_the_loop_after_the_epoch_and_the_cell_completes(run):
    seen = []
    for epoch in nbtrack.epochs(10):
        if epoch == 2:
            run.request_stop("test")
        nbtrack.log(loss=1.0)
        seen.append(epoch)
    nbtrack.log(test_acc=0.5)
    run.finish()
    assert seen == [0, 1, 2]
    assert run.status == "stopped"
    assert list(run.store.curve(run.id, "test_acc").values) == [0.5]
    assert params_of(run)["epochs.done"] == 3


def test_stop_ends_all_loops_that_are_nested(run):
    seen = []
    for fold in nbtrack.epochs(3, name="fold"):
        for epoch in nbtrack.epochs(3):
            seen.append((fold, epoch))
            if (fold, epoch) == (1, 1):
                run.request_stop("test")
    assert seen == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert params_of(run) == {
        "folds": 3,
        "folds.done": 2,
        "epochs": 3,
        "epochs.done": 2,
    }


def test_a_second_request_does_not_wait_for_the_epoch(run):
    with pytest.raises(RunStopped):  # noqa: PT012 - the loop is the subject
        for _ in nbtrack.epochs(2):
            run.request_stop("test")
            nbtrack.log(loss=1.0)
            run.request_stop("test")
            nbtrack.log(loss=1.0)
    run.finish()


def test_after_a_break_the_next_log_raises_again(run):
    for _ in nbtrack.epochs(2):
        break
    run.request_stop("test")
    with pytest.raises(RunStopped):
        nbtrack.log(loss=1.0)


def test_a_loop_inside_a_loop_of_the_same_name_gives_the_axis_back(run):
    for _ in nbtrack.epochs(2):
        for _ in nbtrack.epochs(3):
            nbtrack.log(inner=1.0)
        nbtrack.log(outer=1.0)
    run.finish()
    assert epochs_of(run, "outer") == {0: 0, 1: 1}
    assert list(epochs_of(run, "inner").values()) == [0, 1, 2, 0, 1, 2]


def test_progress_is_known_while_it_runs(run, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("nbtrack.tracking.epochs.time.monotonic", lambda: now[0])
    left = []
    for _ in nbtrack.epochs(4):
        progress = progress_of(run)
        left.append((progress.begun, progress.n, progress.seconds_left))
        now[0] += 10
    assert left == [(1, 4, None), (2, 4, 30.0), (3, 4, 20.0), (4, 4, 10.0)]
    assert progress_of(run) is None


def test_a_given_run_is_used_and_no_other(store_path):
    with nbtrack.start("outer") as outer, nbtrack.start("inner") as inner:
        for _ in nbtrack.epochs(2, run=outer):
            outer.log(loss=1.0)
        assert "epochs" not in inner.record().params
        assert outer.record().params["epochs"].value == 2


def test_a_run_that_finishes_inside_the_loop_is_no_trouble(run, capfd):
    seen = []
    for epoch in nbtrack.epochs(2):
        seen.append(epoch)
        run.finish()
    assert seen == [0, 1]
    assert "Traceback" not in capfd.readouterr().err


def test_a_loop_keeps_no_run_alive(store_path):
    import weakref

    with nbtrack.start(off="all") as run:
        for _ in nbtrack.epochs(1):
            pass
    seen = weakref.ref(run)
    del run
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize(("n", "error"), [(-1, OptionError), (2.5, TypeError)])
def test_numbers_that_count_nothing_are_refused(n, error):
    with pytest.raises(error):
        nbtrack.epochs(n)


def test_zero_epochs_and_numpy_integers_are_fine(run):
    import numpy as np

    assert list(nbtrack.epochs(0)) == []
    assert list(nbtrack.epochs(np.int64(2))) == [0, 1]
    assert params_of(run) == {"epochs": 2}
