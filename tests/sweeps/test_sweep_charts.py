"""Charts of a sweep: what they draw, what they leave out and say; text stays text."""

from __future__ import annotations

import math

import pytest

import nbtrack
from nbtrack.errors import OptionError
from nbtrack.sweeps.studies import storage_of

optuna = pytest.importorskip("optuna")
pytest.importorskip("plotly")
pytest.importorskip("sklearn")
pytestmark = pytest.mark.usefixtures("store_path")
HOSTILE = "<b>x</b><a href='javascript:1'>$y$</a>"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    yield
    optuna.logging.set_verbosity(before)


def objective(trial):
    lr = trial.suggest_float("lr", 1e-4, 1, log=True)
    opt = trial.suggest_categorical("opt", ["adam", "sgd"])
    if opt == "sgd":
        trial.suggest_float("momentum", 0, 1)
    if trial.number == 3:
        raise optuna.TrialPruned
    if trial.number == 4:
        return math.inf
    return lr + (opt == "sgd") / 100


def new_study(function=objective, n_trials=20, **about):
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=sampler, **{"study_name": "s", **about})
    study.optimize(function, n_trials=n_trials)
    return study


@pytest.fixture
def study():
    return new_study()


def texts(figure):
    """Every text in a figure's JSON."""

    def within(node):
        if isinstance(node, dict):
            for value in node.values():
                yield from within(value)
        elif isinstance(node, list | tuple):
            for value in node:
                yield from within(value)
        elif isinstance(node, str):
            yield node

    told = figure.to_plotly_json()
    told["layout"].pop("template", None)
    return list(within(told))


def test_importances_are_those_of_fanova_and_always_the_same(study):
    [bars] = nbtrack.plot_importances(study).data
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    wanted = optuna.importance.get_param_importances(study, evaluator=evaluator)
    assert dict(zip(bars.y, bars.x, strict=True)) == pytest.approx(wanted)
    assert bars.y[-1] == "lr"  # the most important one stands on top
    figure = nbtrack.plot_importances(study)
    assert list(figure.data[0].x) == list(bars.x)
    title, _, below = figure.layout.title.text.partition("<br>")
    assert title == "s: importance for value · 18 trials"
    said = "left out: 1 pruned, 1 infinite · not in every trial: momentum"
    assert f">{said}<" in below


def test_importances_need_two_trials_two_params_and_a_difference():
    with pytest.raises(OptionError, match="has 1 finished trial, and 2 are needed"):
        nbtrack.plot_importances(new_study(n_trials=1))
    one = new_study(lambda trial: trial.suggest_float("x", 0, 1), 3)
    with pytest.raises(OptionError, match=r"has 1 param that varies .* \(x\)"):
        nbtrack.plot_importances(one)

    def same(trial):
        trial.suggest_float("x", 0, 1)
        trial.suggest_float("y", 0, 1)
        return 1.0

    with pytest.raises(OptionError, match="do not differ"):
        nbtrack.plot_importances(new_study(same, 5))


def test_a_contour_has_a_dot_a_trial_and_the_best_blue(study):
    figure = nbtrack.plot_contour(study, ["lr", "opt"])
    land, dots, *_ = figure.data
    assert (land.type, len(dots.x), land.reversescale) == ("contour", 18, False)
    assert land.colorscale[0][1] == "#5468c9"  # blue
    assert figure.layout.xaxis.type == "log"
    best = new_study(direction="maximize", study_name="max")
    assert nbtrack.plot_contour(best, ["lr", "opt"]).data[0].reversescale is True
    with pytest.raises(OptionError, match="needs two params or more; there is 1: lr"):
        nbtrack.plot_contour(study, ["lr"])
    with pytest.raises(OptionError, match=r"no param 'otp'\. Did you mean opt"):
        nbtrack.plot_contour(study, ["lr", "otp"])


def test_a_slice_has_a_panel_a_param_up_to_ten(study):
    figure = nbtrack.plot_slice(study)
    names = [axis.title.text for axis in figure.select_xaxes()]
    assert names == ["lr", "momentum", "opt"]
    assert {label.strip("'") for label in figure.data[2].x} == {"adam", "sgd"}
    assert len(nbtrack.plot_slice(study, ["opt"]).data) == 1

    def wide(trial):
        return sum(trial.suggest_float(f"p{n:02}", 0, 1) for n in range(12))

    figure = nbtrack.plot_slice(new_study(wide, 2))
    assert len(figure.data) == 10
    assert "10 of 12 params" in figure.layout.title.text
    for wrong, said in (([], "is empty"), ("lr", "is one text")):
        with pytest.raises(OptionError, match=said):
            nbtrack.plot_slice(study, wrong)


def test_one_of_several_objectives_is_named():
    def two(trial):
        x = trial.suggest_float("x", 0, 1)
        return x, trial.suggest_float("y", 0, 1) - x

    study = new_study(two, 8, directions=["minimize", "maximize"])
    assert [bars.name for bars in nbtrack.plot_importances(study).data] == [
        "value_0", "value_1"
    ]  # fmt: skip
    figure = nbtrack.plot_slice(study, ["x"], metric="value_1")
    assert list(figure.data[0].y) == [trial.values[1] for trial in study.trials]
    assert nbtrack.plot_contour(study).data[0].reversescale is False  # the first one
    with pytest.raises(OptionError, match="Did you mean value_"):
        nbtrack.plot_slice(study, metric="value_3")


def test_a_sweep_is_found_by_its_name_in_the_store(study):
    store = nbtrack.open()
    with pytest.raises(OptionError, match="'digits': there is none yet"):
        nbtrack.plot_slice("digits")
    optuna.copy_study(
        from_study_name="s", from_storage=study._storage,
        to_storage=storage_of(store), to_study_name="digits",
    )  # fmt: skip
    assert nbtrack.plot_slice("digits").layout.title.text.startswith("digits: value")
    with pytest.raises(OptionError, match="Did you mean digits"):
        nbtrack.plot_importances("digit")
    with pytest.raises(OptionError, match="neither a study of Optuna nor a name"):
        nbtrack.plot_contour(3)


def test_hostile_names_and_choices_stay_text():
    def hostile(trial):
        x = trial.suggest_float(HOSTILE, 0, 1)
        return x + len(trial.suggest_categorical("c" + HOSTILE, [HOSTILE, "b"]))

    study = new_study(hostile, 6, study_name=HOSTILE)
    for draw in (nbtrack.plot_importances, nbtrack.plot_contour, nbtrack.plot_slice):
        found = texts(draw(study))
        assert any("&lt;b&gt;x" in text for text in found)
        assert [t for t in found if "<b>" in t or "<a" in t or "$y$" in t] == []


def test_parallel_coordinates_and_brushes_go_by_the_tag(study):
    ids = nbtrack.import_study(study, metric="loss")
    with nbtrack.start("of no sweep", params={"lr": 1.0, "opt": "adam"}):
        nbtrack.log(loss=5.0)
    [lines] = nbtrack.plot_parallel("tags.sweep == 's'").data
    finished = {r.id for r in nbtrack.open().runs() if r.metrics}
    assert set(lines.ids) < finished & set(ids)
    panel = nbtrack.compare(query="tags.sweep == 's'")
    assert set(panel.df["id"]) == set(ids)  # the table that `nbtrack.brush` filters
    names = [axis.label for axis in lines.dimensions]
    assert names == ["lr (log)", "opt", "momentum", "best loss (min) (log)"]
