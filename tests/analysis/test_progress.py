from __future__ import annotations

import pytest

from nbtrack.analysis.progress import ProgressMeter, bound_by_param
from nbtrack.records import Param


def test_an_epoch_loop_with_metrics_at_its_end_is_timed_from_its_pace():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1, 2], [10.0, 20.0, 30.0])

    assert meter.eta_s({"epoch": 10}, now=30.0) == pytest.approx(70.0)


def test_a_batch_loop_counts_the_epoch_in_progress_as_not_done():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1], [0.1, 10.1])

    assert meter.eta_s({"epoch": 4}, now=15.1) == pytest.approx(25.0)


def test_counting_from_one_gives_the_same_estimate():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [1, 2, 3], [10.0, 20.0, 30.0])

    assert meter.eta_s({"epoch": 10}, now=30.0) == pytest.approx(70.0)
    assert meter.progress({"epoch": 10}) == {"axis": "epoch", "done": 3, "total": 10}


def test_the_first_epoch_gives_no_estimate():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0], [10.0])

    assert meter.eta_s({"epoch": 10}, now=20.0) is None


def test_without_a_declared_bound_there_is_nothing_to_say():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1, 2], [1.0, 2.0, 3.0])

    assert meter.progress({}) is None
    assert meter.eta_s({}, now=4.0) is None


def test_the_outer_of_two_loops_counts():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1], [0.0, 10.0])
    meter.see("loss", "batch", [*range(100), *range(100)], [i / 10 for i in range(200)])

    assert meter.progress({"epoch": 5, "batch": 100})["axis"] == "epoch"


def test_an_inner_loop_never_stands_for_the_run():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1], [0.0, 10.0])
    meter.see("loss", "batch", [*range(100), *range(100)], [i / 10 for i in range(200)])

    assert meter.progress({"batch": 100}) is None


def test_a_bound_that_was_passed_was_none():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1, 2], [1.0, 2.0, 3.0])

    assert meter.progress({"epoch": 2}) is None


@pytest.mark.parametrize(
    ("name", "value", "bound"),
    [
        ("epoch", 10, 10),
        ("n_epochs", 10, 10),
        ("config.num_epochs", 10, 10),
        ("EPOCHS", 10, 10),
        ("n_epochs", 10.0, None),
        ("epochs", True, None),
        ("warmup_epochs", 10, None),
    ],
)
def test_a_param_called_like_the_number_of_rounds_is_the_bound(name, value, bound):
    assert bound_by_param("epoch", {name: Param(name, value, "literal")}) == bound


def test_an_overdue_run_has_nothing_left_rather_than_less():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1], [1.0, 2.0])

    assert meter.eta_s({"epoch": 2}, now=99.0) == 0.0


def test_a_slower_metric_does_not_make_the_outer_loop_an_inner_one():
    meter = ProgressMeter(started_at=0.0)
    meter.see("loss", "epoch", [0, 1, 2], [1.0, 2.0, 3.0])
    meter.see("val_acc", "epoch", [0, 1], [1.5, 2.5])
    progress = meter.progress({"epoch": 10})
    assert (progress["axis"], progress["done"]) == ("epoch", 3)
