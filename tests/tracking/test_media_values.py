"""Figures, histograms, texts, sound, importance, SHAP and predictions, read back."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

import nbtrack
from nbtrack.tracking.media import histograms, importance, predictions, sound

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _nothing_else_is_captured(monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def kept(run, name=None):
    return nbtrack.media(run, name)


# ---- figures


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


def test_a_matplotlib_figure_is_kept_as_it_was_drawn(run, plt):
    figure, axes = plt.subplots(figsize=(2, 1), dpi=50)
    axes.plot([1, 2])
    run.log_figure(figure, "a")
    axes.plot([5, -5])
    run.log_figure(axes, "a")  # its axes stand for it, and pyplot for the current one
    run.log_figure(plt, "a")
    run.log_image(figure, "picture")
    first, second, third = (value.load() for value in kept(run, "a"))
    assert first.shape == (50, 100, 4)
    assert (first != second).any()
    assert (second == third).all()
    assert kept(run, "picture")[0].type == "figure"


def test_a_huge_figure_is_drawn_smaller(run, plt):
    run.log_figure(plt.figure(figsize=(100, 1), dpi=100), "wide")
    assert kept(run, "wide")[0].load().shape[1] == 4000


def test_a_plotly_figure_comes_back_as_one(run):
    go = pytest.importorskip("plotly.graph_objects")
    figure = go.Figure(go.Scatter(x=np.arange(500.0), y=np.arange(500.0) ** 2))
    figure.update_layout(title="squares")
    run.log_figure(figure, "squares")
    figure.update_layout(title="changed")
    found = kept(run, "squares")[0].load()
    assert found.layout.title.text == "squares"
    assert found.data[0].y[-1] == 499.0**2


def test_a_plotly_figure_with_too_much_in_it_is_refused(run, monkeypatch, capsys):
    go = pytest.importorskip("plotly.graph_objects")
    monkeypatch.setattr("nbtrack.tracking.media.figures.FIGURE_BYTES_MAX", 100)
    run.log_figure(go.Figure(go.Scatter(y=list(range(100)))), "large")
    assert kept(run) == []
    assert "Draw fewer points" in capsys.readouterr().err


# ---- histograms


def test_a_histogram_counts_as_numpy_does():
    values = RNG.normal(size=10_000)
    data = histograms.snapshot_of(values).encode().data
    counts, edges = np.histogram(values, bins=64)
    assert data["counts"] == counts.tolist()
    assert np.allclose(histograms.edges_of(data), edges)
    assert data["mean"] == pytest.approx(values.mean())


def test_what_is_no_number_is_counted_apart():
    data = histograms.snapshot_of([1.0, float("nan"), float("inf"), 2.0]).encode().data
    assert (sum(data["counts"]), data["n"]) == (2, 4)
    assert (data["n_nan"], data["n_inf"]) == (1, 1)
    assert (data["min"], data["max"]) == (1.0, 2.0)


@pytest.mark.parametrize(
    "values",
    [[float("nan")], [3.0, 3.0], [1e308, -1e308], [True, False], [2**62, -(2**62)]],
    ids=str,
)
def test_odd_values_have_a_histogram(values):
    data = histograms.snapshot_of(values).encode().data
    assert data["n"] == len(values)
    assert np.isfinite(histograms.edges_of(data)).all()


def test_counts_that_numpy_made_are_kept_as_they_are(run):
    counts, edges = np.histogram([1, 2, 2, 9], bins=[0, 2, 5, 10])
    run.log_histogram((counts, edges), "given")
    found = kept(run, "given")[0].load()
    assert found.counts.tolist() == [1, 2, 1]
    assert found.edges.tolist() == [0.0, 2.0, 5.0, 10.0]


def test_tensors_have_histograms_sparse_ones_too():
    torch = pytest.importorskip("torch")
    dense = torch.tensor([[0.0, 3.0], [1.0, 0.0]], requires_grad=True)
    assert histograms.snapshot_of(dense).encode().data["n"] == 4
    assert histograms.snapshot_of(dense.to_sparse()).encode().data["n"] == 2
    assert histograms.snapshot_of(dense.bfloat16()).encode().data["max"] == 3.0


def test_of_very_many_values_a_share_is_counted_and_it_is_said(monkeypatch):
    monkeypatch.setattr(histograms, "VALUES_MAX", 100)
    data = histograms.snapshot_of(np.arange(1000)).encode().data
    assert (data["n"], data["sampled"], sum(data["counts"])) == (1000, 100, 100)


# ---- texts and HTML


def test_texts_of_any_length_and_kind_come_back(run):
    odd = "línea\n\x00\ud800 <b>not bold</b>"
    run.log_text(odd, "odd")
    run.log_text("x" * 200_000, "long")
    run.log_text("x" * 5_000_000, "very long")
    assert kept(run, "odd")[0].load().startswith("línea\n\x00")
    assert len(kept(run, "long")[0].load()) == 200_000
    very_long = kept(run, "very long")[0]
    assert (very_long.data["cut"], len(very_long.load())) == (5_000_000, 4_000_000)


def test_an_object_with_an_html_view_is_html(run):
    import pandas as pd

    run.log_html(pd.DataFrame({"a": [1]}), "frame")
    run.log_html("<script>alert(1)</script>", "script")
    assert kept(run, "frame")[0].load().startswith("<div>")
    assert kept(run, "script")[0].load() == "<script>alert(1)</script>"  # as a text


# ---- sound and film


def test_samples_become_a_wav_file():
    tone = np.sin(np.arange(8000) / 10).astype(np.float32)
    content = sound.audio_snapshot(tone, 8000).encode()
    with wave.open(io.BytesIO(content.body)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (
            8000,
            1,
            8000,
        )
        found = np.frombuffer(file.readframes(8000), "<i2") / 32767
    assert np.allclose(found, tone, atol=1e-4)
    assert content.data["seconds"] == 1.0


@pytest.mark.parametrize("shape", [(2, 1000), (1000, 2)])
def test_channels_stand_first_or_last(shape):
    data = sound.audio_snapshot(np.zeros(shape), 8000).encode().data
    assert (data["channels"], data["seconds"]) == (2, 0.125)


def test_samples_that_are_too_loud_are_made_quieter_and_it_is_said():
    content = sound.audio_snapshot(np.array([4.0, -2.0]), 8000).encode()
    assert content.data["scaled"] == 4.0
    assert np.frombuffer(content.body[-4:], "<i2").tolist() == [32767, -16384]


def test_files_of_sound_and_film_are_kept_as_they_are(run, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"x" * 100)
    run.log_video(film, "film")
    film.write_bytes(b"other")
    run.log_audio(b"ID3" + b"x" * 50, "song")
    assert kept(run, "film")[0].load().startswith(b"\x00\x00\x00\x18ftyp")
    assert [v.record.mime for v in kept(run)] == ["video/mp4", "audio/mpeg"]


# ---- importance and SHAP


def told(*args, **named):
    content = importance.importance_snapshot(*args, **named).encode()
    return dict(zip(content.main["names"], content.main["values"], strict=True)), (
        content.data["kind"]
    )


def test_numbers_and_names_are_an_importance_the_largest_first():
    import pandas as pd

    expected = ({"b": -2.0, "a": 1.0}, "given")
    assert told({"a": 1, "b": -2}) == expected
    assert told([1, -2], ["a", "b"]) == expected
    assert told(pd.Series([1, -2], index=["a", "b"])) == expected
    assert list(told({"a": 1, "b": -2})[0]) == ["b", "a"]
    assert told([1.0, float("nan")])[0] == {"feature 0": 1.0, "feature 1": None}


def test_estimators_of_scikit_learn_know_their_own():
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.inspection import permutation_importance
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = pd.DataFrame(RNG.random((60, 2)), columns=["a", "b"])
    y = (X["a"] > 0.5).astype(int)
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    found, kind = told(forest)
    assert found == pytest.approx(
        dict(zip("ab", forest.feature_importances_, strict=True))
    )
    assert kind == "impurity"
    line = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    assert told(line)[0] == pytest.approx(
        dict(zip("ab", line[-1].coef_[0], strict=True))
    )
    search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(X, y)
    assert told(search)[1] == "coefficient"
    near = KNeighborsClassifier().fit(X, y)
    permuted = permutation_importance(near, X, y, n_repeats=2, random_state=0)
    content = importance.importance_snapshot(permuted, ["a", "b"]).encode()
    assert content.data["kind"] == "permutation"
    assert len(content.main["std"]) == 2


def test_shap_values_are_averaged_over_all_rows_and_sampled():
    values = RNG.normal(size=(5000, 3)) * [1, 5, 2]
    data = RNG.random((5000, 3))
    content = importance.shap_snapshot(values, ["a", "b", "c"], data).encode()
    main = content.main
    assert main["names"] == ["b", "c", "a"]
    assert main["values"][0] == pytest.approx(np.abs(values[:, 1]).mean())
    assert len(main["sample"]["rows"]) == 200
    row = main["sample"]["rows"][-1]
    assert main["sample"]["values"][-1] == values[row][[1, 2, 0]].tolist()
    assert main["sample"]["data"][-1] == data[row][[1, 2, 0]].tolist()


def test_shap_values_of_several_outputs_are_averaged_over_them_too():
    values = RNG.normal(size=(50, 2, 3))
    both = [values[:, :, k] for k in range(3)]  # as shap gave them before 0.45
    for given in (values, both):
        content = importance.shap_snapshot(given).encode()
        expected = np.abs(values).mean(axis=(0, 2))
        assert sorted(content.main["values"]) == pytest.approx(sorted(expected))
        assert len(content.main["by_output"]) == 3


# ---- predictions


def test_predictions_of_classes_are_right_or_wrong(run):
    run.log_predictions(
        ["cat", "dog"], ["cat", "cat"], ids=["a", "b"], scores=[[0.9, 0.1], [0.6, 0.4]]
    )
    found = kept(run, "predictions")[0].load()
    assert found.to_dict("list") == {
        "id": ["a", "b"],
        "y_true": ["cat", "dog"],
        "y_pred": ["cat", "cat"],
        "correct": [True, False],
        "score.0": [0.9, 0.6],
        "score.1": [0.1, 0.4],
    }


def test_predictions_of_amounts_have_an_error(run):
    run.log_predictions([1.5, 2.0], [1.0, 3.0])
    value = kept(run, "predictions")[0]
    assert value.data["task"] == "regression"
    assert value.load()["error"].tolist() == [-0.5, 1.0]


def test_ids_that_come_twice_are_said():
    found = predictions.snapshot_of([0, 1], [0, 1], ids=["a", "a"]).encode()
    assert found.data["n_ids_twice"] == 1


# ---- reading


def test_a_name_that_is_not_there_is_an_error_with_a_hint(run):
    run.log_text("x", "sample")
    with pytest.raises(nbtrack.NbtrackError, match="Did you mean sample"):
        kept(run, "sampel")
    assert kept("last")[0].name == "sample"


def test_plotly_that_is_missing_is_said_with_the_extra(run, monkeypatch):
    go = pytest.importorskip("plotly.graph_objects")
    run.log_figure(go.Figure(), "empty")
    value = kept(run, "empty")[0]
    monkeypatch.setitem(__import__("sys").modules, "plotly.graph_objects", None)
    with pytest.raises(ImportError, match=r"nbtrack\[lab\]"):
        value.load()
