"""Means over seeds: Student's interval, and groups that do not touch each other."""

from __future__ import annotations

import math

import pytest

import nbtrack
from nbtrack.analysis.confidence import mean_ci, t_quantile
from nbtrack.analysis.groups import groups
from nbtrack.errors import OptionError, QueryError

pytestmark = pytest.mark.usefixtures("plain_surroundings")

SEEDS = [0.90, 0.92, 0.91, 0.89, 0.93]


def seeds(group, values, metric="acc", **more):
    for value in values:
        with nbtrack.start(group=group, off="all", **more) as run:
            run.log({metric: value})


def row_of(frame, key, by="group"):
    return frame[frame[by] == key].iloc[0]


def test_the_quantile_of_t_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    for freedom in (1, 2, 3, 4, 5, 9, 10, 29, 30, 100, 999, 20_000):
        for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.9999):
            expected = stats.t.ppf((1 + level) / 2, freedom)
            assert t_quantile(freedom, level) == pytest.approx(expected, rel=1e-6)


def test_an_interval_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    found = mean_ci(SEEDS)
    low, high = stats.t.interval(0.95, 4, loc=0.91, scale=stats.sem(SEEDS))
    assert found.mean - found.half_width == pytest.approx(low, abs=1e-9)
    assert found.mean + found.half_width == pytest.approx(high, abs=1e-9)


def test_values_of_the_table_of_student():
    table = {1: 12.7062, 2: 4.3027, 4: 2.7764, 9: 2.2622, 30: 2.0423}
    for freedom, expected in table.items():
        assert t_quantile(freedom, 0.95) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (SEEDS, "0.9100 ± 0.0196 (95 % CI, n=5)"),
        ([0.9], "0.9 (one run, no interval)"),
        ([], "no value"),
        ([math.nan], "no value, 1 NaN left out"),
        ([*SEEDS, math.nan], "0.9100 ± 0.0196 (95 % CI, n=5, 1 NaN left out)"),
        ([2.0, 2.0], "2 ± 0 (95 % CI, n=2)"),
        ([1000.0, 3000.0], "2000 ± 12706 (95 % CI, n=2)"),
        ([1e300, 1e300], "1e+300 ± 0 (95 % CI, n=2)"),
        ([1e308, 1e308, 1e308], "1e+308 ± 0 (95 % CI, n=3)"),
        ([math.inf, 1.0], "inf ± nan (95 % CI, n=2)"),
        ([math.inf, -math.inf], "nan ± nan (95 % CI, n=2)"),
    ],
)
def test_a_mean_says_how_far_it_may_be_off(values, said):
    assert str(mean_ci(values)) == said


def test_what_diverged_has_a_spread_too():
    assert mean_ci([1e200, 3e200]).std == pytest.approx(math.sqrt(2) * 1e200)


def test_the_order_of_runs_does_not_change_a_mean():
    assert mean_ci([0.1, 0.2, 0.3, 1e9]).mean == mean_ci([1e9, 0.3, 0.2, 0.1]).mean


def test_a_level_that_is_none_is_refused():
    with pytest.raises(OptionError, match="between 0 and 1"):
        mean_ci([1.0], 95)


def test_a_group_is_one_row_with_the_mean_of_its_best_values(store_path):
    for losses in ([0.5, 0.1, 0.9], [0.3, 0.4]):
        with nbtrack.start(group="wide", off="all") as run:
            for loss in losses:
                run.log(loss=loss, lr=loss)
    row = row_of(groups(), "wide")
    assert (row["n"], row["n.loss"], row["n_nan.loss"]) == (2, 2, 0)
    assert row["mean.loss"] == pytest.approx((0.1 + 0.3) / 2)
    assert row["mean.lr"] == pytest.approx((0.9 + 0.4) / 2)  # no goal: the last
    assert row["std.loss"] == pytest.approx(0.1 * math.sqrt(2))
    assert row["ci95.loss"] == pytest.approx(12.7062 * 0.1, abs=1e-5)


def test_another_group_changes_no_number_of_the_first(store_path):
    seeds("A", SEEDS)
    before = row_of(groups(), "A").to_dict()
    seeds("B", [5.0, 7.0])
    seeds("B", [1.0], metric="other")
    seeds(None, [100.0])
    after = row_of(groups(), "A").to_dict()
    assert {name: after[name] for name in before} == before
    assert (after["n.other"], after["n"]) == (0, 5)
    assert math.isnan(after["mean.other"])


def test_runs_without_a_group_and_the_trash_are_left_out(store_path):
    from nbtrack.analysis import edits

    seeds("A", [0.5, 0.7])
    seeds(None, [9.0])
    edits.trash_all(nbtrack.open(), "acc > .6 and group == 'A'")
    frame = groups()
    assert frame["group"].tolist() == ["A"]
    assert row_of(frame, "A")["mean.acc"] == 0.5
    assert math.isnan(row_of(frame, "A")["ci95.acc"])


def test_a_query_chooses_the_runs_of_the_groups(store_path):
    seeds("A", SEEDS)
    seeds("B", [0.1])
    frame = groups("acc >= .92")
    assert frame[["group", "n"]].values.tolist() == [["A", 2]]
    with pytest.raises(QueryError):
        groups("acc >")


def test_runs_whose_best_is_nan_are_left_out_and_counted(store_path):
    seeds("A", [0.5, math.nan, 0.7])
    row = row_of(groups(), "A")
    assert (row["n"], row["n.acc"], row["n_nan.acc"]) == (3, 2, 1)
    assert row["mean.acc"] == pytest.approx(0.6)


def test_children_are_one_row_of_their_parent(store_path):
    with nbtrack.start("folds", off="all") as parent:
        parent.log(acc=99.0)
    seeds(None, [0.5, 0.7], parent=parent.id)
    seeds(None, [0.1])
    row = row_of(groups(by="parent"), parent.id, by="parent")
    assert (row["name"], row["n"]) == ("folds", 2)
    assert row["mean.acc"] == pytest.approx(0.6)


def test_there_may_be_no_group_at_all(store_path):
    assert list(groups().columns) == ["group", "n"]
    seeds(None, [0.5])
    assert len(groups()) == 0
    with pytest.raises(OptionError, match="Did you mean group"):
        groups(by="groups")
