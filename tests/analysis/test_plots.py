"""Two runs stand in one figure, predictions are joined, names are text."""

from __future__ import annotations

import numpy as np
import pytest

import nbtrack
from nbtrack.analysis import plots
from nbtrack.errors import MissingExtraError, OptionError

pytest.importorskip("plotly")
RNG = np.random.default_rng(0)
HOSTILE = "<img src=x onerror=alert(1)><b>$\\href{javascript:1}$</b>%{x}\u202e"


@pytest.fixture(autouse=True)
def _store_of_its_own(store_path, monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def trained(name, shift, **more):
    truth = np.tile([0, 1], 100)
    with nbtrack.start(name) as run:
        score = RNG.random(200) + truth * shift
        run.log_roc(truth, score, **more)
        run.log_pr(truth, score, **more)
        run.log_confusion_matrix(truth, (score > 0.7).astype(int))
        run.log_importance({"age": shift, "income": 1.0})
    return run


def test_the_curves_of_two_runs_are_overlaid_in_one_figure():
    a, b = trained("weak", 0.1), trained("strong", 0.9)
    for plot, metric in (
        (plots.plot_roc, "roc.auc"),
        (plots.plot_pr, "pr.average_precision"),
    ):
        figure = plot("weak", b)
        assert len(figure.data) == 2
        for trace, run in zip(figure.data, (a, b), strict=True):
            exact = run.record().metrics[metric].last
            assert trace.name == f"{run.name} ({exact:.3f})"
    assert list(plots.plot_roc().data[0].x) == list(plots.plot_roc(b).data[0].x)


def test_each_class_has_a_curve_with_its_name():
    truth = np.arange(60) % 3
    with nbtrack.start("three") as run:
        run.log_roc(truth, np.eye(3)[truth], labels=["a", "b", "c"])
    assert [trace.name for trace in plots.plot_roc(run).data] == [
        "three: a (1.000)",
        "three: b (1.000)",
        "three: c (1.000)",
    ]


def test_importance_is_compared_feature_by_feature():
    trained("weak", 0.1), trained("strong", 2.0)
    figure = plots.plot_importance("weak", "strong")
    assert [trace.name for trace in figure.data] == ["weak", "strong"]
    assert list(figure.data[0].y) == ["age", "income"]  # the largest in any run first
    assert list(figure.data[1].x) == [2.0, 1.0]


def test_a_confusion_matrix_has_its_counts_as_text():
    run = trained("one", 0.5)
    matrix = nbtrack.media(run, "confusion_matrix")[0].load().to_numpy()
    figure = plots.plot_confusion(run)
    assert [[int(n) for n in row] for row in figure.data[0].text] == matrix.tolist()
    shares = plots.plot_confusion(run, normalize=True).data[0].z
    assert np.allclose(np.sum(shares, axis=1), 1)


def test_histograms_are_a_ridge_a_step():
    with nbtrack.start() as run:
        for step in range(100):
            run.log_histogram(RNG.normal(step, 1, 50), "weights", step=step)
    figure = plots.plot_histograms(run, "weights")
    assert len(figure.data) == 50
    assert "50 of 100 steps" in figure.layout.title.text
    assert figure.layout.yaxis.ticktext[-1] == "98"


def predictions(name, y_pred, **more):
    with nbtrack.start(name) as run:
        run.log_predictions(["x", "y", "y", "x"], y_pred, ids=list("abcd"), **more)


def test_two_runs_are_joined_on_the_example_and_flips_are_named():
    predictions("a", ["x", "x", "z", "x"])
    predictions("b", ["y", "y", "x", "x"])
    found = nbtrack.join_predictions("a", "b")
    assert dict(zip(found["id"], found["flip"], strict=True)) == {
        "a": "broken",
        "b": "fixed",
        "c": "changed",
        "d": "",
    }


def test_examples_of_one_run_only_are_counted_and_doubles_matched_in_order():
    with nbtrack.start("a") as run:
        run.log_predictions([0, 0, 1], [0, 1, 1], ids=["p", "p", "q"])
    with nbtrack.start("b") as run:
        run.log_predictions([0, 0], [0, 0], ids=["p", "p"])
    found = nbtrack.join_predictions("a", "b")
    assert found["flip"].tolist() == ["", "fixed"]
    assert found.attrs == {"only_in_a": 1, "only_in_b": 0, "y_true_differs": 0}


def test_amounts_are_joined_with_the_change_of_their_error():
    for name, y_pred in (("a", [1.0, 2.0]), ("b", [1.5, 3.0])):
        with nbtrack.start(name) as run:
            run.log_predictions([1.5, 2.0], y_pred)
    found = nbtrack.join_predictions("a", "b")
    assert found["change"].tolist() == [-0.5, 1.0]


def test_names_are_text_wherever_plotly_might_read_them():
    with nbtrack.start(HOSTILE) as run:
        run.log_roc(["no", HOSTILE], [0.1, 0.9], pos_label=HOSTILE, name=HOSTILE)
        run.log_confusion_matrix([HOSTILE], [HOSTILE])
        run.log_importance({HOSTILE: 1.0})
        run.log_histogram([1.0], "h" + HOSTILE)
    figures = [
        plots.plot_roc(run, name=HOSTILE),
        plots.plot_confusion(run),
        plots.plot_importance(run),
        plots.plot_histograms(run, "h" + HOSTILE),
    ]
    for figure in figures:
        text = figure.to_json()
        assert "<img" not in text
        assert "\\u003cimg" not in text
        assert "<b>" not in text
        assert "$\\" not in text
        assert "\u202e" not in text
        assert "&lt;img src=x" in text or "\\u0026lt;img src=x" in text


def test_slips_are_said_with_what_there_is():
    run = trained("one", 0.5)
    with pytest.raises(OptionError, match="has no rich value 'rock'"):
        plots.plot_roc(run, name="rock")
    with pytest.raises(OptionError, match=r"no step 7\. There are: 0"):
        plots.plot_roc(run, step=7)
    with pytest.raises(OptionError, match="is of type pr"):
        plots.plot_roc(run, name="pr")
    with pytest.raises(OptionError, match="no histograms"):
        plots.plot_histograms(run)


def test_without_plotly_the_extra_is_named(monkeypatch):
    run = trained("one", 0.5)
    monkeypatch.setitem(__import__("sys").modules, "plotly.graph_objects", None)
    with pytest.raises(MissingExtraError, match=r"nbtrack\[lab\]"):
        plots.plot_roc(run)
