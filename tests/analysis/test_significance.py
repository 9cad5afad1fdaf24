"""B beats A, or nothing is shown: the tests against SciPy, and what is claimed."""

from __future__ import annotations

import math
from random import Random

import pytest

import nbtrack
from nbtrack.analysis.confidence import t_beyond
from nbtrack.analysis.statistics import mean_tests
from nbtrack.analysis.statistics.significance import beats, beats_all
from nbtrack.errors import (
    MetricNotFoundError,
    OptionError,
    QueryError,
    RunNotFoundError,
)

ACCS = {
    "A": [0.90, 0.91, 0.89, 0.92, 0.90],
    "B": [0.92, 0.92, 0.92, 0.93, 0.92],
    "flat": [0.91, 0.92, 0.90, 0.93, 0.91],  # A + .01 throughout
    "noise": [0.94, 0.86, 0.91, 0.90, 0.92],
}


def seeds(group, values, *, metric="acc", first=0, **params):
    for seed, value in enumerate(values, first):
        given = {"seed": seed, **params}
        with nbtrack.start(group=group, params=given, off="all") as run:
            run.log({metric: value})


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """One store for all tests that only read."""
    path = tmp_path_factory.mktemp("significance") / ".nbtrack"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBTRACK_STORE", str(path))
        for group, values in ACCS.items():
            seeds(group, values, opt=f"opt {group}")
        seeds("unseeded", [0.1, 0.2, 0.3])
        seeds("few", [0.95, 0.94], first=3)
        seeds("late", [0.95, 0.96], first=40)
        seeds("alone", [0.9])
        seeds("diverged", [0.95, math.nan, 0.93, math.inf, 0.96])
        seeds("<b>|$", [0.5, 0.6])
        for group, values in (("fast", [3.0, 3.1, 3.2]), ("slow", [5.0, 5.2, 5.1])):
            seeds(group, values, metric="loss")
            seeds(group, [value / 2 for value in values], metric="loss")
        seeds("plain", [1.0, 2.0], metric="width")
        seeds("plainer", [1.5, 2.5], metric="width")
        for value in (0.9, 0.8):
            with nbtrack.start("no seed", group="seedless", off="all") as run:
                run.log(acc=value)
        nbtrack.tracking.session.process_session().close()
    from nbtrack.store import Store

    with Store.open(path) as store:
        yield store


def numbers(n, *, shift=0.0, seed=1):
    random = Random(seed)
    return [random.gauss(shift, 1.0) for _ in range(n)]


def test_the_distribution_of_t_is_that_of_its_table():
    # Two-sided 5 %, 1 % and .1 % points, as in any textbook.
    table = [(1, 12.706, 0.05), (4, 2.776, 0.05), (10, 3.169, 0.01), (30, 3.646, 0.001)]
    for freedom, t, p in table:
        assert t_beyond(t, freedom) == pytest.approx(p, rel=1e-3)
    assert (t_beyond(0, 3), t_beyond(math.inf, 3)) == (1.0, 0.0)


def test_the_distribution_of_t_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    for freedom in (1, 1.7, 2, 4, 9.31, 30, 500):
        for t in (1e-9, 0.3, 1.0, 2.776, 8.0, 60.0):
            expected = 2 * stats.t.sf(t, freedom)
            assert t_beyond(t, freedom) == pytest.approx(expected, rel=1e-9)


def test_paired_and_unpaired_t_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    for n in (2, 3, 8, 40):
        b, a = numbers(n, shift=0.5), numbers(n, seed=2)
        theirs = stats.ttest_rel(b, a)
        ours = mean_tests.paired_t([x - y for x, y in zip(b, a, strict=True)])
        assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
        limits = theirs.confidence_interval()
        assert (ours.low, ours.high) == pytest.approx((limits.low, limits.high))
        a = numbers(n + 3, seed=2)
        theirs, ours = stats.ttest_ind(b, a, equal_var=False), mean_tests.welch_t(b, a)
        assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
        limits = theirs.confidence_interval()
        assert (ours.low, ours.high) == pytest.approx((limits.low, limits.high))


def test_tiny_and_huge_values_are_tested_as_others():
    usual = mean_tests.welch_t(numbers(5), numbers(6, seed=2))
    for scale in (1e-200, 1e90):
        b, a = ([v * scale for v in side] for side in (numbers(5), numbers(6, seed=2)))
        assert mean_tests.welch_t(b, a).p == pytest.approx(usual.p)


def test_permutations_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    differences = numbers(9, shift=0.8)
    theirs = stats.permutation_test(
        (differences,), lambda x: sum(x) / len(x), permutation_type="samples",
        vectorized=False,
    )  # fmt: skip
    assert mean_tests.sign_flips(differences).p == pytest.approx(theirs.pvalue)
    b, a = numbers(4, shift=1.0), numbers(4, seed=2)
    theirs = stats.permutation_test(
        (b, a), lambda x, y: sum(x) / len(x) - sum(y) / len(y), vectorized=False
    )
    assert mean_tests.relabelled(b, a).p == pytest.approx(theirs.pvalue)


def test_a_permutation_of_six_pairs_of_one_sign_is_two_of_64():
    found = mean_tests.sign_flips([0.3, 0.1, 0.2, 0.5, 0.4, 0.6])
    assert (found.p, found.low, found.high) == (2 / 64, 0.1, 0.6)
    five = mean_tests.sign_flips([0.3, 0.1, 0.2, 0.5, 0.4])
    assert (five.p, five.low, five.high) == (2 / 32, -math.inf, math.inf)


@pytest.mark.parametrize("n", [8, 13, 30])
@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0])
def test_p_and_interval_agree_whether_zero_is_left_out(n, shift):
    differences = numbers(n, shift=shift, seed=n)
    for test in (mean_tests.paired_t, mean_tests.sign_flips):
        found = test(differences)
        assert (found.p < 0.05) == (not found.low <= 0 <= found.high)


def test_what_is_random_is_the_same_for_the_same_seed_and_near_the_t_test():
    b, a = numbers(9, shift=0.6), numbers(10, seed=2)
    differences = numbers(14, shift=0.4)
    ours = [
        (mean_tests.sign_flips, (differences,), mean_tests.paired_t),
        (mean_tests.bootstrap_paired, (differences,), mean_tests.paired_t),
        (mean_tests.relabelled, (b, a), mean_tests.welch_t),
        (mean_tests.bootstrap_unpaired, (b, a), mean_tests.welch_t),
    ]
    for test, values, by_t in ours:
        found = test(*values, seed=3)
        assert found == test(*values, seed=3)
        assert found.p == pytest.approx(by_t(*values).p, abs=0.04)


def test_holm_is_what_the_paper_says():
    assert mean_tests.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert mean_tests.holm([0.9, 0.8]) == [1.0, 1.0]
    assert mean_tests.holm([]) == []


def test_b_beats_a_in_one_line(here):
    found = beats("B", "A", "acc", store=here)
    assert str(found) == (
        "B beats A on acc: +0.018 [0.008, 0.028] (95 %), n=5 pairs, p=.009, paired t"
    )
    assert (found.better, found.n, found.paired_on) == ("B", 5, "seed")
    assert found.difference == pytest.approx(0.018)
    assert found.mean_b.mean == pytest.approx(0.922)
    assert found.warnings == ()
    turned = beats("A", "B", "acc", store=here)
    assert str(turned) == str(found)
    assert turned.difference == pytest.approx(-0.018)


def test_the_test_is_that_of_scipy_on_the_runs_that_were_logged(here):
    stats = pytest.importorskip("scipy.stats")
    expected = stats.ttest_rel(ACCS["B"], ACCS["A"]).pvalue
    assert beats("B", "A", "acc", store=here).p == pytest.approx(expected)
    expected = stats.ttest_ind(ACCS["B"], ACCS["A"], equal_var=False).pvalue
    unpaired = beats("B", "A", "acc", pair_on=None, store=here)
    assert unpaired.p == pytest.approx(expected)
    assert unpaired.method == "Welch t"
    assert beats("B", "A", "acc", method="welch", store=here) == unpaired
    assert "n=5 and 5" in str(unpaired)


def test_no_difference_is_said_to_be_not_shown(here):
    found = beats("noise", "A", "acc", store=here)
    assert found.better is None
    assert str(found).startswith(
        "no difference shown: noise against A on acc: +0.002 ["
    )


def test_a_loss_is_better_when_it_is_smaller(here):
    found = beats("fast", "slow", "loss", pair_on=None, store=here)
    assert (found.better, found.goal) == (None, "min")  # halves of the others: noise
    query = "group == 'fast' and loss > 2.9", "group == 'slow' and loss > 4.9"
    found = beats(*query, "loss", store=here)
    assert found.better == "group == 'fast' and loss > 2.9"
    assert found.paired_on == "seed"
    assert beats(*query, "loss", goal="max", store=here).better == query[1]


def test_sides_are_groups_queries_and_lists_of_runs(here):
    runs = [run for run in here.runs() if run.group == "B"]
    expected = beats("B", "A", "acc", store=here)
    by_query = beats("params.opt == 'opt B'", "group == 'A'", "acc", store=here)
    by_list = beats(runs, [run.id for run in here.runs() if run.group == "A"], "acc",
                    store=here)  # fmt: skip
    assert by_query.p == by_list.p == expected.p
    assert by_query.better == "params.opt == 'opt B'"
    assert beats(runs, "A", "acc", store=here).better == by_list.b


def test_lists_of_runs_of_the_same_names_are_told_apart(store_path):
    sides = []
    for accs in ([0.7, 0.8, 0.76], [0.1, 0.2, 0.14]):
        sides.append([])
        for acc in accs:
            with nbtrack.start("base", off="all") as run:
                run.log(acc=acc)
            here = nbtrack.open()
            here.edit({"kind": "run_changed", "run": run.id, "fields": {"name": "x"}})
            sides[-1].append(run)
    assert str(nbtrack.beats(*sides, "acc")).startswith("x (B) beats x (A) on acc: +0.")


def test_permutation_and_bootstrap_say_what_they_can_not(here):
    found = beats("B", "A", "acc", method="permutation", store=here)
    assert (found.p, found.better) == (2 / 32, None)
    assert found.method == "sign-flip permutation (exact)"
    assert "with 5 pairs p cannot be below 0.062" in found.warnings
    found = beats("B", "A", "acc", method="bootstrap", store=here)
    assert "a bootstrap of 5 pairs is rough" in found.warnings
    found = beats("B", "A", "acc", method="permutation", pair_on=None, store=here)
    assert found.method == "permutation (exact)"


def test_differences_without_any_spread_are_not_left_to_t(here):
    found = beats("flat", "A", "acc", store=here)
    assert found.method == "sign-flip permutation (exact)"
    assert found.better is None
    assert any("do not differ" in told for told in found.warnings)
    assert beats("flat", "A", "acc", method="paired-t", store=here).p == 0.0


def test_why_runs_are_not_paired_is_told(here):
    for group, why in {
        "late": "0 values of 'seed' are on both sides",
        "seedless": "no run of seedless has a param 'seed'",
    }.items():
        found = beats(group, "A", "acc", store=here)
        assert found.paired_on is None
        assert f"not paired: {why}" in found.warnings
        with pytest.raises(OptionError, match=why):
            beats(group, "A", "acc", method="paired-t", store=here)
    twice = beats("fast", "slow", "loss", store=here)
    assert "not paired: fast has 2 runs with seed" in twice.warnings[0]


def test_what_is_left_out_is_told(here):
    found = beats("few", "A", "acc", store=here)
    assert (found.n, found.mean_a.n) == (2, 2)
    assert "3 runs without a partner of the same seed left out" in found.warnings
    assert "only 2 pairs: few to tell luck from more" in found.warnings
    assert "  note: only 2 pairs" in repr(found)
    found = beats("diverged", "A", "acc", store=here)
    assert found.n == 3
    why = "diverged: 2 of 5 runs left out, with no finite value, which flatters it"
    assert why in found.warnings


def test_what_cannot_be_compared_is_refused(here):
    with pytest.raises(OptionError, match="5 of the runs are on both sides"):
        beats("A", "acc > 0.85 and group == 'A'", "acc", store=here)
    with pytest.raises(OptionError, match="alone has 1 value to compare"):
        beats("alone", "A", "acc", store=here)
    with pytest.raises(
        MetricNotFoundError, match=r"No run of B has a metric 'ac'.*acc"
    ):
        beats("B", "A", "ac", store=here)
    with pytest.raises(OptionError, match=r"The goal of 'width' .*goal="):
        beats("plain", "plainer", "width", store=here)
    assert beats("plain", "plainer", "width", goal="max", store=here).p > 0.05


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"b": "unseed"}, OptionError, "No group is called 'unseed'. Did you mean"),
        ({"b": "acc >"}, QueryError, "No group is called 'acc >'.*cannot be read"),
        ({"b": "acc < 0"}, OptionError, "no run answers to it"),
        ({"b": []}, OptionError, "an empty list"),
        ({"b": [3]}, OptionError, "3 is no run"),
        ({"b": 7}, OptionError, "7 names no runs"),
        ({"b": ["nobody"]}, RunNotFoundError, "nobody"),
        ({"pair_on": "optt"}, OptionError, "none of the runs has.*Did you mean opt"),
        ({"method": "t-test"}, OptionError, "is no test"),
        ({"goal": "least"}, OptionError, 'give "min" or "max"'),
        ({"by": "folder"}, OptionError, "not grouped by 'folder'"),
    ],
)
def test_what_is_no_comparison_is_refused_with_a_way_out(here, options, error, said):
    given = {"b": "B", "a": "A", "metric": "acc", "store": here} | options
    with pytest.raises(error, match=said):
        beats(given.pop("b"), given.pop("a"), given.pop("metric"), **given)


def test_a_group_may_have_any_name(here):
    found = beats("<b>|$", "A", "acc", pair_on=None, store=here)
    assert str(found).startswith("no difference shown: <b>|$ against A on acc: ")


def test_several_groups_against_a_baseline_are_corrected_after_holm(here):
    found = beats_all("A", ["B", "noise"], "acc", store=here)
    alone = [beats(name, "A", "acc", store=here).p for name in ("B", "noise")]
    assert [one.p for one in found] == pytest.approx(mean_tests.holm(alone))
    assert [one.better for one in found] == ["B", None]
    assert found[0].method == "paired t, Holm over 2"
    assert beats_all("A", "B", "acc", store=here)[0] == beats(
        "B", "A", "acc", store=here
    )
    crowded = beats_all("A", ["B", *["noise"] * 5], "acc", store=here)
    assert (crowded[0].better, crowded[0].p) == (None, pytest.approx(6 * alone[0]))
    assert beats_all("A", [], "acc", store=here) == ()


def test_folds_of_two_parents_are_compared(store_path):
    for name, accs in (("base", [0.5, 0.6, 0.5]), ("wide", [0.7, 0.81, 0.72])):
        with nbtrack.start(name, off="all") as parent:
            pass
        for fold, acc in enumerate(accs):
            with nbtrack.start(parent=parent.id, params={"fold": fold}, off="all") as r:
                r.log(acc=acc)
    found = nbtrack.beats("wide", "base", "acc", by="parent", pair_on="params.fold")
    assert (found.better, found.n, found.paired_on) == ("wide", 3, "fold")
