"""The real XGBoost, with our callback, with the hook alone, and with both."""

from __future__ import annotations

import copy
import doctest
import pickle

import numpy as np
import pytest

import nbtrack
from nbtrack.guard import guard
from nbtrack.tracking.autolog import autolog, hooks
from nbtrack.tracking.callbacks import xgboost as callback_module

pytestmark = pytest.mark.frameworks
xgboost = pytest.importorskip("xgboost")
sklearn = pytest.importorskip("sklearn.model_selection")

train = xgboost.train  # bound by name, as notebooks do


RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
Y = (X[:, 0] + 0.3 * RNG.normal(size=120) > 0).astype(int)
PARAMS = {"objective": "binary:logistic", "max_depth": 2, "eta": 0.3, "nthread": 1}
PARAMS |= {"eval_metric": ["logloss", "auc"]}


@pytest.fixture
def data():
    return (
        xgboost.DMatrix(X[:80], label=Y[:80], feature_names=list("abcd")),
        xgboost.DMatrix(X[80:], label=Y[80:], feature_names=list("abcd")),
    )


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


def trained(data, rounds=6, **options):
    seen, held = data
    return train(
        PARAMS, seen, rounds, evals=[(seen, "train"), (held, "valid")],
        verbose_eval=False, **options,
    )  # fmt: skip


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


def test_a_plain_train_has_the_numbers_of_its_own_history(run, hooked, data):
    history = {}
    booster = trained(data, evals_result=history)
    run.finish()
    assert all_points(run) == as_points(history)
    record = run.record()
    assert record.metrics["valid-logloss"].goal == "min"
    assert record.metrics["valid-auc"].goal == "max"
    assert record.metrics["perf/it_per_s"].last > 0
    params = shown(record)
    assert (params["xgboost.max_depth"], params["xgboost.eta"]) == (2, 0.3)
    assert params["xgboost.eval_metric"] == ["logloss", "auc"]
    assert params["xgboost.num_boost_round"] == 6
    assert (params["xgboost.n_samples"], params["xgboost.n_features"]) == (80, 4)
    assert record.model_bytes == len(booster.save_raw("ubj"))
    [importance] = nbtrack.media(run, "importance")
    main = importance.main()
    told = dict(zip(main["names"], main["values"], strict=True))
    assert told == pytest.approx(booster.get_score(importance_type="gain"))


@pytest.mark.parametrize("is_hooked", [True, False])
def test_a_callback_of_ones_own_is_never_doubled(run, data, is_hooked):
    if is_hooked:
        hooks.open_cell()
    history = {}
    callback = nbtrack.XGBoostCallback()
    trained(data, evals_result=history, callbacks=[callback])
    if is_hooked:
        hooks.close_cell()
    run.finish()
    assert all_points(run) == as_points(history)
    assert run.record().metrics["perf/it_per_s"].n == 1
    assert run.record().model_bytes > 0
    assert len(run.store.media(run.id, "importance")) == 1


def test_estimators_are_recorded_once_with_their_settings(run, hooked):
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=2, n_jobs=1)
    model.fit(X[:80], Y[:80], eval_set=[(X[80:], Y[80:])], verbose=False)
    run.finish()
    history = model.evals_result()
    own = {k: v for k, v in all_points(run).items() if k.startswith("validation_0")}
    assert own == as_points(history)
    params = shown(run.record())
    assert (params["XGBClassifier.max_depth"], params["XGBClassifier"]) == (
        2,
        "XGBClassifier",
    )
    assert "XGBClassifier.subsample" not in params  # None: as the library does
    assert "xgboost" not in params
    assert run.record().metrics["perf/fit_s"].n == 1
    assert len(run.store.media(run.id, "importance")) == 1


def test_what_a_search_boosts_inside_is_not_recorded(run, hooked):
    model = xgboost.XGBClassifier(n_estimators=3, n_jobs=1)
    sklearn.GridSearchCV(model, {"max_depth": [1, 2]}, cv=2, refit=False).fit(X, Y)
    run.finish()
    assert set(run.record().metrics) == {
        *("perf/fit_s", "perf/samples_per_s"),
        *("best_score", "mean_test_score", "std_test_score"),
    }


def test_early_stopping_keeps_the_last_point_and_says_the_best(run, hooked, data):
    history = {}
    booster = trained(data, rounds=60, evals_result=history, early_stopping_rounds=3)
    run.finish()
    assert len(history["valid"]["auc"]) < 60
    assert all_points(run).pop("best_iteration") == [(0, booster.best_iteration)]
    mine = all_points(run)
    del mine["best_iteration"]
    assert mine == as_points(history)


def test_a_callback_behind_one_that_stops_keeps_the_last_point(run, data):
    history = {}
    first = xgboost.callback.EarlyStopping(rounds=2)
    callbacks = [first, nbtrack.XGBoostCallback()]
    trained(data, rounds=60, evals_result=history, callbacks=callbacks)
    run.finish()
    mine = all_points(run)
    del mine["best_iteration"]
    assert mine == as_points(history)


def test_stop_ends_the_boosting_and_the_booster_is_there(run, hooked, data):
    class Press(xgboost.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            if epoch == 3:
                run.request_stop("test")
            return False

    booster = trained(data, rounds=1000, callbacks=[Press()])
    assert booster.num_boosted_rounds() == 5  # seen in the iteration after
    assert booster.predict(data[1]).shape == (40,)
    run.finish()
    assert run.status == "stopped"


def test_a_second_training_covers_no_point_of_the_first(run, hooked, data):
    one, two = {}, {}
    trained(data, rounds=3, evals_result=one)
    trained(data, rounds=2, evals_result=two)
    run.finish()
    values = one["valid"]["auc"] + two["valid"]["auc"]
    assert points(run, "valid-auc") == list(enumerate(values))
    axis = run.store.curve(run.id, "valid-auc").axes["iteration"]
    assert list(axis) == [0, 1, 2, 0, 1]
    numbered = {name for name in shown(run.record()) if name.startswith("xgboost-2")}
    assert numbered == {"xgboost-2", "xgboost-2.num_boost_round"}


def test_cross_validation_keeps_means_and_deviations(run, data):
    callback = nbtrack.XGBoostCallback()
    params = {**PARAMS, "eval_metric": "auc"}
    told = xgboost.cv(
        params, data[0], 4, nfold=3, as_pandas=False, callbacks=[callback]
    )
    run.finish()
    for name in ("test-auc-mean", "test-auc-std", "train-auc-mean"):
        mine = [value for _, value in points(run, name)]
        assert mine == pytest.approx(told[name])
    assert run.record().metrics["test-auc-mean"].goal == "max"


def test_the_booster_is_the_same_to_the_bit(run, data):
    plain = trained(data).save_raw("ubj")
    hooks.open_cell()
    seen = trained(data).save_raw("ubj")
    hooks.close_cell()
    by_hand = trained(data, callbacks=[nbtrack.XGBoostCallback()]).save_raw("ubj")
    assert plain == seen == by_hand


def test_the_users_own_list_of_callbacks_stays_as_it_was(run, hooked, data):
    mine = [xgboost.callback.EarlyStopping(rounds=3)]
    trained(data, callbacks=mine)
    assert len(mine) == 1


def test_removal_restores_the_very_same_objects(data):
    before = [c.cell_contents for c in train.__closure__], train, xgboost.train
    hooks.open_cell()
    during = [c.cell_contents for c in train.__closure__]
    hooks.close_cell()
    after = [c.cell_contents for c in train.__closure__], train, xgboost.train
    assert before[0] != during
    assert all(a is b for a, b in zip(before[0], after[0], strict=True))
    assert before[1:] == after[1:]
    assert xgboost.sklearn.train is train


@pytest.mark.parametrize(
    "place",
    [
        "xgboost._Recording._keep",
        "fits.Fits.add",
        "train_hook.Training.__init__",
        "train_hook.Training._describe",
        "iterations.Iterations.log",
        "iterations.Iterations.finish",
    ],
)
def test_a_fault_of_ours_is_one_line_and_the_booster_is_there(
    run, hooked, data, capfd, monkeypatch, place
):
    def fail(*args, **kwargs):
        raise RuntimeError("no luck")

    capfd.readouterr()
    monkeypatch.setattr(f"nbtrack.tracking.callbacks.{place}", fail)
    for _ in range(2):
        history = {}
        booster = trained(data, evals_result=history)
        assert booster.num_boosted_rounds() == len(history["valid"]["auc"]) == 6
    assert capfd.readouterr().err.count("no luck") == 1
    assert guard.is_off(callback_module.FEATURE)


def test_what_xgboost_raises_goes_through_untouched(run, hooked, data, capfd):
    with pytest.raises(TypeError, match="positional argument"):
        train()
    with pytest.raises(xgboost.core.XGBoostError, match="Unknown objective"):
        train({"objective": "no-such"}, data[0])
    assert "left out" not in capfd.readouterr().err


def test_without_a_run_there_is_one_line_and_a_booster(store_path, data, capfd):
    for _ in range(2):
        trained(data, callbacks=[nbtrack.XGBoostCallback()])
    assert capfd.readouterr().err.count("without a run") == 1
    assert not store_path.exists()


def test_a_callback_is_copied_with_its_estimator(run):
    callback = nbtrack.XGBoostCallback(run=run)
    model = xgboost.XGBClassifier(n_estimators=2, callbacks=[callback])
    from sklearn.base import clone

    clone(model).fit(X, Y, eval_set=[(X, Y)], verbose=False)
    assert type(copy.deepcopy(callback)) is type(callback)
    assert isinstance(callback, nbtrack.XGBoostCallback)
    assert pickle.loads(pickle.dumps(callback)) is not None
    run.finish()
    assert run.record().metrics["validation_0-logloss"].n == 2


def test_estimators_pickle_without_us(run, hooked):
    model = xgboost.XGBClassifier(n_estimators=2).fit(X, Y)
    assert b"nbtrack" not in pickle.dumps(model)


def test_one_line_makes_a_training_a_run(store_path, data):
    autolog("xgboost")
    try:
        trained(data, rounds=3)
        xgboost.XGBClassifier(n_estimators=2).fit(X, Y)
    finally:
        hooks.forget()
    table = nbtrack.runs()
    assert table["name"].tolist() == ["xgboost-2", "xgboost"]
    assert table["status"].tolist() == ["finished", "finished"]
    assert table["params.xgboost.num_boost_round"].tolist() == [2, 3]


def test_a_tracked_cell_needs_no_callback(ip, store_path):
    ip.user_ns |= {"X": X, "y": Y}
    done = ip.run_cell(
        "%%track\n"
        "import xgboost as xgb\n"
        "params = {'objective': 'binary:logistic', 'eta': 0.2}\n"
        "data = xgb.DMatrix(X, label=y)\n"
        "history = {}\n"
        "booster = xgb.train(params, data, 4, evals=[(data, 'train')],\n"
        "                    evals_result=history, verbose_eval=False)\n"
    )
    assert done.success
    from nbtrack.store import Store

    with Store.open(store_path) as store:
        [record] = store.runs()
        curve = store.curve(record.id, "train-logloss")
    assert list(curve.values) == ip.user_ns["history"]["train"]["logloss"]
    params = shown(record)
    assert params["params.eta"] == 0.2  # under the notebook's own name, and only there
    assert "xgboost.eta" not in params
    assert params["xgboost.n_samples"] == 120
