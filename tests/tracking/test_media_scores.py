"""Curves and matrices are those of scikit-learn, to the last digits."""

from __future__ import annotations

import numpy as np
import pytest
from examples import examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics

import nbtrack
from nbtrack.errors import ValueNotLoggedError
from nbtrack.tracking.media import scores

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _nothing_else_is_captured(monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def roc(*args, **named):
    return scores.curve_snapshot(*args, kind="roc", **named).encode()


def pr(*args, **named):
    return scores.curve_snapshot(*args, kind="pr", **named).encode()


def confusion(*args):
    return scores.confusion_snapshot(*args).encode()


def samples(n, digits):
    truth = RNG.integers(0, 2, n)
    truth[:2] = [0, 1]
    return truth, np.round(RNG.random(n) * 0.8 + truth * 0.2, digits)


@pytest.mark.parametrize("n", [2, 7, 100, 20_000])
@pytest.mark.parametrize("digits", [0, 1, 2, 9])  # few digits: many ties
def test_areas_are_those_of_scikit_learn(n, digits):
    truth, score = samples(n, digits)
    area, precision = roc(truth, score), pr(truth, score)
    assert area.data["auc"] == pytest.approx(
        metrics.roc_auc_score(truth, score), abs=1e-12
    )
    assert precision.data["average_precision"] == pytest.approx(
        metrics.average_precision_score(truth, score), abs=1e-12
    )


@settings(max_examples=examples(50), deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 1.0, 3.0])),
        min_size=2,
        max_size=30,
    )
)
def test_ties_of_any_pattern_are_treated_as_scikit_learn_does(pairs):
    truth, score = (np.array(column) for column in zip(*pairs, strict=True))
    assume(truth.any() and not truth.all())
    x, y, _ = metrics.roc_curve(truth, score, drop_intermediate=False)
    ours = scores.roc_points(truth, score)
    assert np.allclose(ours[0], x, atol=1e-12)
    assert np.allclose(ours[1], y, atol=1e-12)
    precision, recall, _ = metrics.precision_recall_curve(truth, score)
    ours = scores.pr_points(truth, score)
    assert np.allclose(ours[0][::-1], recall, atol=1e-12)
    assert np.allclose(ours[1][::-1], precision, atol=1e-12)


def test_at_most_2000_points_are_kept_and_the_area_stays_that_of_all():
    truth = RNG.integers(0, 2, 300_000)
    score = RNG.random(300_000) + truth * 0.3
    for kept, exact in (
        (roc(truth, score), metrics.roc_auc_score(truth, score)),
        (pr(truth, score), metrics.average_precision_score(truth, score)),
    ):
        curve = kept.main["curves"][0]
        assert len(curve["x"]) <= 2000
        assert curve["area"] == pytest.approx(exact, abs=1e-12)
        assert (curve["x"][0], curve["x"][-1]) == (0.0, 1.0)
        drawn = np.trapezoid(curve["y"], curve["x"])
        assert drawn == pytest.approx(exact, abs=2e-3)  # the picture too


def test_more_classes_are_judged_one_against_the_rest():
    truth = RNG.integers(0, 4, 400)
    score = RNG.random((400, 4)) + np.eye(4)[truth] * 0.5
    score /= score.sum(axis=1, keepdims=True)
    kept = roc(truth, score)
    assert kept.data["auc"] == pytest.approx(
        metrics.roc_auc_score(truth, score, multi_class="ovr"), abs=1e-12
    )
    assert [curve["label"] for curve in kept.main["curves"]] == [0, 1, 2, 3]
    kept = pr(truth, score, labels=["a", "b", "c", "d"])
    assert [curve["label"] for curve in kept.main["curves"]] == ["a", "b", "c", "d"]
    for k, curve in enumerate(kept.main["curves"]):
        exact = metrics.average_precision_score(truth == k, score[:, k])
        assert curve["area"] == pytest.approx(exact, abs=1e-12)


def test_texts_booleans_and_columns_of_two_are_two_classes():
    truth, score = samples(200, 2)
    exact = metrics.roc_auc_score(truth, score)
    words = np.array(["cat", "dog"])[truth]
    both = np.stack([1 - score, score], axis=1)
    for y_true, y_score in ((words, score), (truth == 1, score), (truth, both)):
        assert roc(y_true, y_score).data["auc"] == pytest.approx(exact, abs=1e-12)
    other = roc(words, score, pos_label="cat").data["auc"]
    assert other == pytest.approx(1 - exact, abs=1e-12)


def test_several_labels_a_sample_are_a_curve_each():
    truth = RNG.integers(0, 2, (100, 3))
    score = RNG.random((100, 3))
    exact = metrics.roc_auc_score(truth, score)
    assert roc(truth, score).data["auc"] == pytest.approx(exact, abs=1e-12)


def test_tensors_lists_and_series_are_taken():
    torch = pytest.importorskip("torch")
    import pandas as pd

    for wrap in (list, torch.tensor, pd.Series, np.array):
        assert roc(wrap([0, 1]), wrap([0.1, 0.9])).data["auc"] == 1.0
    assert roc(torch.tensor([0, 1]), torch.rand(2).bfloat16()).data["n"] == 2
    words = pd.Series(["a", "b"])
    assert confusion(words, words).main["labels"] == ["a", "b"]


@pytest.mark.parametrize(
    ("truth", "score", "why"),
    [
        ([0, 1, float("nan")], [0.1, 0.2, 0.3], "y_true has 1 missing values"),
        ([0, 1], [float("nan"), 0.2], "y_score has 1 missing values"),
        (["a", None], [0.1, 0.2], "y_true has 1 missing values"),
        ([1, 1], [0.1, 0.2], "every sample is of class 1"),
        ([0, 1], ["a", "b"], "y_score has no numbers"),
        ([0, 1], [0.1], r"shape \(2,\) and y_score \(1,\)"),
        ([[1]], [0.1, 0.2], "shape"),
    ],
)
def test_what_has_no_curve_is_refused_with_the_reason(truth, score, why):
    for kind in (roc, pr):
        with pytest.raises(ValueNotLoggedError, match=why):
            kind(truth, score)


def test_the_area_is_a_metric_of_the_run_and_better_when_larger(run):
    run.log_roc([0, 1, 1], [0.1, 0.9, 0.05], step=7)
    run.log_pr([0, 1, 1], [0.1, 0.9, 0.05], name="val/pr")
    nbtrack.media(run)
    found = run.record().metrics
    assert (found["roc.auc"].last, found["roc.auc"].last_step) == (0.5, 7)
    assert found["roc.auc"].goal == "max"
    assert found["val/pr.average_precision"].goal == "max"


@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_matrix_is_that_of_scikit_learn(n_classes):
    truth, guess = RNG.integers(0, n_classes, (2, 300))
    exact = metrics.confusion_matrix(truth, guess)
    assert (np.array(confusion(truth, guess).main["matrix"]) == exact).all()
    order = list(range(n_classes))[::-1]
    exact = metrics.confusion_matrix(truth, guess, labels=order)
    assert (np.array(confusion(truth, guess, order).main["matrix"]) == exact).all()


def test_labels_may_leave_classes_out_or_name_numbered_ones():
    truth, guess = [0, 1, 2, 2], [0, 2, 2, 1]
    exact = metrics.confusion_matrix(truth, guess, labels=[1, 2])
    assert confusion(truth, guess, [1, 2]).main["matrix"] == exact.tolist()
    named = confusion(truth, guess, ["a", "b", "c"])
    assert named.main["labels"] == ["a", "b", "c"]
    assert named.main["matrix"] == metrics.confusion_matrix(truth, guess).tolist()
    with pytest.raises(ValueNotLoggedError, match="none of the labels"):
        confusion(truth, guess, ["a"])


def test_the_accuracy_stands_beside_the_matrix():
    assert confusion([0, 1, 2], [0, 1, 1]).data["accuracy"] == pytest.approx(2 / 3)
