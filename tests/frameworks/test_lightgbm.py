"""The real LightGBM, with our callback, with the hook alone, and with both."""

from __future__ import annotations

import copy
import doctest
import pickle
import sys
import warnings

import numpy as np
import pytest

import nbtrack
from nbtrack.guard import guard
from nbtrack.tracking.autolog import autolog, hooks
from nbtrack.tracking.callbacks import lightgbm as callback_module

pytestmark = pytest.mark.frameworks
lightgbm = pytest.importorskip("lightgbm")
sklearn = pytest.importorskip("sklearn.model_selection")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4))
Y = (X[:, 0] + 0.3 * RNG.normal(size=200) > 0).astype(int)
PARAMS = {"objective": "binary", "num_leaves": 4, "learning_rate": 0.2, "verbose": -1}
PARAMS |= {"metric": ["binary_logloss", "auc"], "num_threads": 1, "seed": 1}


@pytest.fixture
def hooked():
    """The hook as a tracked cell has it."""
    hooks.open_cell()
    yield
    hooks.close_cell()


@pytest.fixture
def ip(shell):
    shell.run_cell("%load_ext nbtrack")
    yield shell
    shell.run_cell("%unload_ext nbtrack")


def trained(rounds=6, *, callbacks=(), **options):
    """A booster, and LightGBM's own record of its evaluations."""
    seen = lightgbm.Dataset(X[:140], label=Y[:140])
    held = lightgbm.Dataset(X[140:], label=Y[140:], reference=seen)
    history = {}
    record = lightgbm.record_evaluation(history)
    booster = lightgbm.train(
        PARAMS, seen, rounds, valid_sets=[seen, held], valid_names=["train", "valid"],
        callbacks=[record, *callbacks], **options,
    )  # fmt: skip
    return booster, history


def points(run, metric):
    curve = run.store.curve(run.id, metric)
    return list(zip(curve.steps, curve.values, strict=True))


def all_points(run):
    names = run.record().metrics
    return {n: points(run, n) for n in names if not n.startswith("perf/")}


def shown(record):
    return {name: param.value for name, param in record.params.items()}


def as_points(history):
    return {
        f"{name}-{metric}": list(enumerate(values))
        for name, metrics in history.items()
        for metric, values in metrics.items()
    }


def test_the_docstring_example_runs(store_path):
    found = doctest.testmod(callback_module)
    assert (found.failed, found.attempted > 3) == (0, True)


def test_a_plain_train_has_the_numbers_of_its_own_history(run, hooked):
    booster, history = trained()
    run.finish()
    assert all_points(run) == as_points(history)
    record = run.record()
    assert record.metrics["valid-binary_logloss"].goal == "min"
    assert record.metrics["valid-auc"].goal == "max"
    assert record.metrics["perf/it_per_s"].last > 0
    params = shown(record)
    assert params["lightgbm.num_leaves"] == 4
    assert params["lightgbm.metric"] == ["binary_logloss", "auc"]
    assert params["lightgbm.num_boost_round"] == 6
    assert (params["lightgbm.n_samples"], params["lightgbm.n_features"]) == (140, 4)
    assert record.model_bytes == len(booster.model_to_string())
    [importance] = nbtrack.media(run, "importance")
    main = importance.main()
    told = dict(zip(main["names"], main["values"], strict=True))
    gains = booster.feature_importance("gain").tolist()
    assert told == pytest.approx(dict(zip(booster.feature_name(), gains, strict=True)))


@pytest.mark.parametrize("is_hooked", [True, False])
def test_a_callback_of_ones_own_is_never_doubled(run, is_hooked):
    if is_hooked:
        hooks.open_cell()
    _, history = trained(callbacks=[nbtrack.LightGBMCallback()])
    if is_hooked:
        hooks.close_cell()
    run.finish()
    assert all_points(run) == as_points(history)
    assert run.record().metrics["perf/it_per_s"].n == 1
    assert run.record().model_bytes > 0
    assert len(run.store.media(run.id, "importance")) == 1


def test_estimators_are_recorded_once_with_their_settings(run, hooked):
    model = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=4, verbose=-1, n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:140], Y[:140], eval_set=[(X[140:], Y[140:])])
    run.finish()
    own = {k: v for k, v in all_points(run).items() if k.startswith("valid_0")}
    assert own == as_points(model.evals_result_)
    params = shown(run.record())
    assert params["LGBMClassifier.num_leaves"] == 4
    assert "lightgbm" not in params
    assert run.record().metrics["perf/fit_s"].n == 1
    assert len(run.store.media(run.id, "importance")) == 1


def test_what_a_search_boosts_inside_is_not_recorded(run, hooked):
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1)
    grid = {"num_leaves": [3, 4]}
    sklearn.GridSearchCV(model, grid, cv=2, refit=False).fit(X, Y)
    run.finish()
    assert set(run.record().metrics) == {
        *("perf/fit_s", "perf/samples_per_s"),
        *("best_score", "mean_test_score", "std_test_score"),
    }


def test_early_stopping_keeps_the_last_point_and_says_the_best(run, hooked):
    stopping = lightgbm.early_stopping(3, verbose=False)
    booster, history = trained(rounds=200, callbacks=[stopping])
    run.finish()
    assert len(history["valid"]["auc"]) < 200
    mine = all_points(run)
    # LightGBM counts its best iteration from 1; steps are counted from 0.
    assert mine.pop("best_iteration") == [(0, booster.best_iteration - 1)]
    assert mine == as_points(history)


def test_stop_ends_the_boosting_and_the_booster_is_there(run, hooked):
    def press(env):
        if env.iteration == 3:
            run.request_stop("test")

    booster, _ = trained(rounds=1000, callbacks=[press])
    assert booster.num_trees() == 5  # seen in the iteration after
    assert booster.predict(X).shape == (200,)
    run.finish()
    assert run.status == "stopped"
    assert "best_iteration" not in run.record().metrics


def test_a_second_training_covers_no_point_of_the_first(run, hooked):
    _, one = trained(rounds=3)
    _, two = trained(rounds=2)
    run.finish()
    values = one["valid"]["auc"] + two["valid"]["auc"]
    assert points(run, "valid-auc") == list(enumerate(values))
    axis = run.store.curve(run.id, "valid-auc").axes["iteration"]
    assert list(axis) == [0, 1, 2, 0, 1]
    numbered = {name for name in shown(run.record()) if name.startswith("lightgbm-2")}
    assert numbered == {"lightgbm-2", "lightgbm-2.num_boost_round"}


def test_a_training_that_goes_on_goes_on_in_its_steps(run, hooked):
    booster, _ = trained(rounds=3)
    trained(rounds=2, init_model=booster)
    run.finish()
    axis = run.store.curve(run.id, "valid-auc").axes["iteration"]
    assert list(axis) == [0, 1, 2, 3, 4]


def test_cross_validation_keeps_means_and_deviations(run):
    data = lightgbm.Dataset(X, label=Y)
    params = {**PARAMS, "metric": "auc"}
    callbacks = [nbtrack.LightGBMCallback()]
    told = lightgbm.cv(params, data, 4, nfold=3, callbacks=callbacks)
    run.finish()
    assert [v for _, v in points(run, "valid-auc")] == told["valid auc-mean"]
    assert [v for _, v in points(run, "valid-auc-stdv")] == told["valid auc-stdv"]
    assert run.record().metrics["valid-auc"].goal == "max"


def test_the_booster_is_the_same_to_the_bit():
    plain, _ = trained()
    hooks.open_cell()
    with nbtrack.start():
        seen, _ = trained()
        by_hand, _ = trained(callbacks=[nbtrack.LightGBMCallback()])
    hooks.close_cell()
    texts = {booster.model_to_string() for booster in (plain, seen, by_hand)}
    assert len(texts) == 1


def test_removal_restores_the_very_same_objects(monkeypatch):
    modules = (lightgbm, lightgbm.engine, lightgbm.sklearn)
    before = [module.train for module in modules]
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "their_train", before[0], raising=False)
    hooks.open_cell()
    assert all(module.train is not before[0] for module in modules)
    twin = main.their_train  # bound by name before
    assert twin is lightgbm.train
    assert pickle.loads(pickle.dumps(twin)) is twin
    monkeypatch.setattr(main, "new_train", twin, raising=False)
    hooks.close_cell()
    after = [module.train for module in modules]
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert main.their_train is main.new_train is before[0]


@pytest.mark.parametrize(
    "place",
    [
        "lightgbm.LightGBMCallback._keep",
        "lightgbm.LightGBMCallback.finish",
        "fits.Fits.add",
        "train_hook.Training.__init__",
        "train_hook.Training._describe",
        "iterations.Iterations.log",
    ],
)
def test_a_fault_of_ours_is_one_line_and_the_booster_is_there(
    run, hooked, capfd, monkeypatch, place
):
    def fail(*args, **kwargs):
        raise RuntimeError("no luck")

    capfd.readouterr()
    monkeypatch.setattr(f"nbtrack.tracking.callbacks.{place}", fail)
    for _ in range(2):
        booster, history = trained()
        assert booster.num_trees() == len(history["valid"]["auc"]) == 6
    assert capfd.readouterr().err.count("no luck") == 1
    assert guard.is_off(callback_module.FEATURE)


def test_what_lightgbm_raises_goes_through_untouched(run, hooked, capfd):
    data = lightgbm.Dataset(X, label=Y)
    with pytest.raises(TypeError, match="positional argument"):
        lightgbm.train()
    with pytest.raises(lightgbm.basic.LightGBMError, match="Unknown objective"):
        lightgbm.train({"objective": "no-such", "verbose": -1}, data)
    assert "left out" not in capfd.readouterr().err


def test_without_a_run_there_is_one_line_and_a_booster(store_path, capfd):
    for _ in range(2):
        trained(callbacks=[nbtrack.LightGBMCallback()])
    assert capfd.readouterr().err.count("without a run") == 1
    assert not store_path.exists()


def test_a_callback_can_be_copied(run):
    callback = nbtrack.LightGBMCallback(run=run)
    assert copy.deepcopy(callback)._run is run
    assert pickle.loads(pickle.dumps(callback))._run is None


def test_estimators_pickle_without_us(run, hooked):
    model = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, Y)
    assert b"nbtrack" not in pickle.dumps(model)


def test_one_line_makes_a_training_a_run(store_path):
    autolog("lightgbm")
    try:
        trained(rounds=3)
        lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, Y)
    finally:
        hooks.forget()
    table = nbtrack.runs()
    assert table["name"].tolist() == ["lightgbm-2", "lightgbm"]
    assert table["status"].tolist() == ["finished", "finished"]


def test_a_model_of_many_leaves_says_why_it_was_not_measured(run, hooked, monkeypatch):
    monkeypatch.setattr(callback_module, "LEAF_S", 1.0)
    trained()
    run.finish()
    assert run.record().model_bytes is None
    assert "24 leaves" in run.store.facts(run.id)["model_bytes"].missing


def test_a_tracked_cell_needs_no_callback(ip, store_path):
    ip.user_ns |= {"X": X, "y": Y}
    ip.run_cell("from lightgbm import Dataset, train, record_evaluation")
    done = ip.run_cell(
        "%%track\n"
        "params = {'objective': 'binary', 'num_leaves': 5, 'verbose': -1}\n"
        "data = Dataset(X, label=y)\n"
        "history = {}\n"
        "booster = train(params, data, 4, valid_sets=[data],\n"
        "                callbacks=[record_evaluation(history)])\n"
    )
    assert done.success
    from nbtrack.store import Store

    with Store.open(store_path) as store:
        [record] = store.runs()
        curve = store.curve(record.id, "training-binary_logloss")
    history = ip.user_ns["history"]
    assert list(curve.values) == history["training"]["binary_logloss"]
    params = shown(record)
    assert params["params.num_leaves"] == 5  # under the notebook's name, and only there
    assert "lightgbm.num_leaves" not in params
    assert params["lightgbm.n_samples"] == 200
    assert ip.user_ns["train"] is lightgbm.train
