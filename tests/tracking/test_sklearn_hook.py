"""A plain `fit` of scikit-learn is recorded, and is the fit that it was."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import nbtrack
from nbtrack.guard import guard
from nbtrack.tracking.autolog import hooks
from nbtrack.tracking.callbacks import sklearn as hook_module
from nbtrack.tracking.callbacks.sklearn import FitTwin

pytestmark = pytest.mark.usefixtures("plain_surroundings")

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Models of this size only lose by threads of the linear algebra."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


@pytest.fixture
def hooked():
    """The hook as a tracked cell has it."""
    hooks.open_cell()
    yield
    hooks.close_cell()


class Constant(ClassifierMixin, BaseEstimator):
    """An estimator as people write them."""

    def __init__(self, answer=0):
        self.answer = answer

    def fit(self, x, y, *, bias=0):
        self.classes_ = np.unique(y)
        self.bias_ = bias
        return self

    def predict(self, x):
        return np.full(len(x), self.answer)


def points(run, metric):
    curve = run.store.curve(run.id, metric)
    return list(zip(curve.steps, curve.values, strict=True))


def own_values(record):
    return {name: m.last for name, m in record.metrics.items()}


def shown(record):
    return {name: param.value for name, param in record.params.items()}


# ---- what is recorded


def test_a_plain_fit_leaves_settings_time_size_and_importance(run, hooked):
    LogisticRegression(C=0.5, max_iter=200).fit(X, Y)
    run.finish()
    params, metrics = shown(run.record()), own_values(run.record())
    assert params["LogisticRegression"] == "LogisticRegression"
    assert params["LogisticRegression.C"] == 0.5
    assert type(params["LogisticRegression.max_iter"]) is int
    assert params["LogisticRegression.n_samples"] == 150
    assert params["LogisticRegression.n_features"] == 4
    assert metrics["perf/fit_s"] > 0
    assert metrics["perf/samples_per_s"] > 0
    assert metrics["n_iter"] > 1
    assert 500 < run.record().model_bytes < 5000
    [importance] = run.store.media(run.id, "importance")
    assert importance.type == "importance"


def test_the_size_is_that_of_the_pickle(run, hooked):
    model = RandomForestClassifier(5, random_state=0).fit(X, Y)
    run.finish()
    real = len(pickle.dumps(model, protocol=5))
    assert run.record().model_bytes == pytest.approx(real, rel=0.01)


def test_a_search_leaves_its_candidates_and_the_best_of_them(run, hooked):
    search = GridSearchCV(SVC(), {"C": [0.01, 1.0, 10.0], "kernel": ["rbf"]}, cv=3)
    search.fit(X, Y)
    run.finish()
    told = search.cv_results_["mean_test_score"].tolist()
    assert points(run, "mean_test_score") == list(enumerate(told))
    record = run.record()
    assert own_values(record)["best_score"] == search.best_score_
    assert shown(record)["best.C"] == search.best_params_["C"]
    assert shown(record)["best.kernel"] == "rbf"
    assert shown(record)["GridSearchCV.param_grid.C"] == [0.01, 1.0, 10.0]
    [table] = nbtrack.media(run, "cv_results")
    frame = table.load()
    assert frame["mean_test_score"].tolist() == told
    assert frame["param_C"].tolist() == [0.01, 1.0, 10.0]
    assert record.metrics["perf/fit_s"].n == 1  # nine fits and a refit inside


def test_a_score_whose_name_says_loss_is_still_to_be_large(run, hooked):
    grid, model = {"C": [0.1, 1.0]}, LogisticRegression(max_iter=200)
    GridSearchCV(model, grid, cv=2, scoring=["neg_log_loss"], refit=False).fit(X, Y)
    cross_validate(model, X, Y, cv=2, scoring=["neg_log_loss"])
    run.finish()
    metrics = run.record().metrics
    assert metrics["mean_test_neg_log_loss"].goal == "max"
    assert metrics["test_neg_log_loss"].goal == "max"


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_a_search_fits_in_threads_is_not_recorded_by_itself(run, hooked, n_jobs):
    import joblib

    inner = BaggingClassifier(DecisionTreeClassifier(max_depth=2), 3, n_jobs=n_jobs)
    with joblib.parallel_config("threading", n_jobs=n_jobs):
        GridSearchCV(inner, {"n_estimators": [2, 3]}, cv=2, n_jobs=n_jobs).fit(X, Y)
    run.finish()
    assert run.record().metrics["perf/fit_s"].n == 1
    assert "BaggingClassifier" not in shown(run.record())


def test_a_class_of_the_notebook_travels_to_workers_as_it_was(hooked, monkeypatch):
    cloudpickle = pytest.importorskip("cloudpickle")

    monkeypatch.setattr(Constant, "__module__", "__main__")  # pickled by value
    assert type(vars(Constant)["fit"]) is FitTwin
    packed = cloudpickle.dumps(Constant(answer=1))
    assert b"FitTwin" not in packed
    arrived = pickle.loads(packed)
    assert type(vars(type(arrived))["fit"]) is type(clone)
    assert arrived.fit(X, Y).predict(X[:2]).tolist() == [1, 1]


@pytest.mark.frameworks  # two processes that import scikit-learn
def test_two_processes_search_as_one(run, hooked, monkeypatch):
    monkeypatch.setattr(Constant, "__module__", "__main__")
    search = GridSearchCV(Constant(), {"answer": [0, 1, 2]}, cv=2, n_jobs=2)
    scores = search.fit(X, Y).cv_results_["mean_test_score"].tolist()
    run.finish()
    assert [value for _, value in points(run, "mean_test_score")] == scores
    assert run.record().metrics["perf/fit_s"].n == 1


def test_folds_are_points_and_have_a_mean(run, hooked):
    model = LogisticRegression(max_iter=200)
    scores = cross_val_score(model, X, Y, cv=4)
    run.finish()
    assert points(run, "test_score") == list(enumerate(scores.tolist()))
    assert own_values(run.record())["test_score_mean"] == scores.mean()
    assert "perf/fit_s" not in run.record().metrics
    assert shown(run.record())["LogisticRegression.C"] == 1.0


def test_curves_of_learning_are_the_estimators_own(run, hooked):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp = MLPRegressor(hidden_layer_sizes=(4,), max_iter=8, random_state=0).fit(
            X, Y
        )
    boosted = GradientBoostingRegressor(n_estimators=5).fit(X, Y)
    run.finish()
    assert points(run, "loss_curve") == list(enumerate(mlp.loss_curve_))
    assert points(run, "train_score") == list(enumerate(boosted.train_score_))
    assert run.record().metrics["train_score"].goal == "min"  # it is the loss
    assert own_values(run.record())["n_iter"] == 8


def test_the_histogram_kind_counts_scores_upwards(run, hooked):
    model = HistGradientBoostingRegressor(
        max_iter=4, early_stopping=True, random_state=0
    ).fit(X, Y)
    run.finish()
    assert points(run, "train_score") == list(enumerate(model.train_score_.tolist()))
    assert run.record().metrics["train_score"].goal == "max"


def test_a_second_fit_covers_no_point_of_the_first(run, hooked):
    first = GradientBoostingRegressor(n_estimators=3).fit(X, Y)
    second = GradientBoostingRegressor(n_estimators=4, max_depth=1).fit(X, Y)
    run.finish()
    values = [*first.train_score_, *second.train_score_]
    assert points(run, "train_score") == list(enumerate(values))
    axis = run.store.curve(run.id, "train_score").axes["iteration"]
    assert list(axis) == [0, 1, 2, 0, 1, 2, 3]
    params = shown(run.record())
    assert params["GradientBoostingRegressor.n_estimators"] == 3
    assert {name for name in params if "-2" in name} == {
        "GradientBoostingRegressor-2",
        "GradientBoostingRegressor-2.n_estimators",
        "GradientBoostingRegressor-2.max_depth",
    }


def test_a_loop_of_fits_is_a_series_and_few_descriptions(run, hooked):
    for alpha in range(1, 31):
        Ridge(alpha=alpha).fit(X, Y)
    for _ in range(3):
        LinearRegression().fit(X, Y)
    run.finish()
    assert run.record().metrics["perf/fit_s"].n == 33
    kinds = [name for name, value in shown(run.record()).items() if "." not in name]
    assert len(kinds) == 8 + 1


def test_partial_fits_are_counted(run, hooked):
    model = SGDClassifier()
    for _ in range(20):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    run.finish()
    assert shown(run.record())["SGDClassifier.n_partial_fits"] == 20
    assert shown(run.record())["SGDClassifier.alpha"] == 0.0001
    assert run.record().metrics == {}


def test_a_transformer_by_itself_has_settings_and_no_metrics(run, hooked):
    StandardScaler(with_mean=False).fit(X)
    run.finish()
    assert shown(run.record())["StandardScaler.with_mean"] is False
    assert run.record().metrics == {}


def test_a_pipeline_is_one_fit_with_nested_settings(run, hooked):
    make_pipeline(StandardScaler(), LogisticRegression(C=2.0)).fit(X, Y)
    run.finish()
    params = shown(run.record())
    assert params["Pipeline.logisticregression.C"] == 2.0
    assert "StandardScaler" not in params
    assert run.record().metrics["perf/fit_s"].n == 1


# ---- the fit is the fit


def test_the_fitted_model_is_the_same_to_the_bit(run):
    def fitted():
        return RandomForestClassifier(10, random_state=3, n_jobs=2).fit(X, Y)

    plain = fitted()
    hooks.open_cell()
    seen = fitted()
    hooks.close_cell()
    assert np.array_equal(plain.predict_proba(X), seen.predict_proba(X))
    assert pickle.dumps(plain) == pickle.dumps(seen)


def test_pickles_clones_and_copies_know_nothing_of_us(run, hooked):
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    for made in (model, clone(model), copy.deepcopy(model)):
        assert b"nbtrack" not in pickle.dumps(made)
    assert pickle.loads(pickle.dumps(FitTwin(len, print))) is len


def test_classes_answer_with_their_own_methods(hooked):
    import inspect

    assert type(vars(LogisticRegression)["fit"]) is FitTwin
    assert not isinstance(LogisticRegression.fit, FitTwin)
    assert inspect.isfunction(LogisticRegression.fit)
    signature = inspect.signature(LogisticRegression().fit)
    assert list(signature.parameters) == ["X", "y", "sample_weight"]
    assert LogisticRegression().fit.__doc__ == LogisticRegression.fit.__doc__


def test_removal_restores_the_very_same_objects():
    from sklearn.model_selection import _validation
    from sklearn.utils.parallel import _FuncWrapper

    def state():
        methods = {
            (kind, name): vars(kind)[name]
            for kind in hook_module._subclasses(BaseEstimator)
            for name in ("fit", "partial_fit")
            if name in vars(kind)
        }
        inside = [c.cell_contents for c in _validation.cross_validate.__closure__]
        later = vars(BaseEstimator).get("__init_subclass__")
        return methods, _validation.cross_validate, inside, _FuncWrapper.__call__, later

    def same(one, other):
        return all(one[key] is other[key] for key in one) and one.keys() == other.keys()

    before = state()
    hooks.open_cell()
    during = state()
    hooks.open_cell()  # twice: a cell that runs a cell
    hooks.close_cell()
    assert type(vars(LogisticRegression)["fit"]) is FitTwin
    hooks.close_cell()
    after = state()
    assert not same(before[0], during[0])
    assert same(before[0], after[0])
    assert before[1:] == after[1:]
    assert hooks._late not in sys.meta_path


def test_a_method_that_the_user_replaced_meanwhile_stays():
    mine = type("Mine", (Constant,), {"fit": lambda self, x, y: self})
    hooks.open_cell()
    theirs = mine.fit = lambda self, x, y: "theirs"
    hooks.close_cell()
    assert vars(mine)["fit"] is theirs


def test_a_subclass_that_calls_super_is_one_fit(run, hooked):
    class Louder(LogisticRegression):  # defined while the hook is there
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, y, sample_weight)

    assert Louder(C=3.0).fit(X, Y).n_features_in_ == 4
    run.finish()
    assert run.record().metrics["perf/fit_s"].n == 1
    assert shown(run.record())["Louder.C"] == 3.0
    assert "LogisticRegression" not in shown(run.record())


def test_an_exception_of_fit_goes_through_untouched(run, hooked, capfd):
    class Broken(Constant):
        def fit(self, x, y):
            raise RuntimeError("my own")

    with pytest.raises(RuntimeError, match=r"\Amy own\Z"):
        Broken().fit(X, Y)
    with pytest.raises(TypeError, match="positional argument"):
        LogisticRegression().fit()
    LogisticRegression().fit(X, Y)  # and the scope is not left behind
    run.finish()
    assert run.record().metrics["perf/fit_s"].n == 1
    assert capfd.readouterr().err.count("failed") == 0


def test_an_estimator_that_raises_when_looked_at_fits(run, hooked, capfd):
    class Shy(Constant):
        def __repr__(self):
            raise RuntimeError("no repr")

        def __getstate__(self):
            raise RuntimeError("no pickle")

        def get_params(self, deep=True):
            raise RuntimeError("no params")

        def __len__(self):
            raise RuntimeError("no len")

        @property
        def n_features_in_(self):
            raise RuntimeError("no features")

    assert isinstance(Shy().fit(X, Y), Shy)
    run.finish()
    assert shown(run.record())["Shy"] == "Shy"
    assert "its own way" in run.store.facts(run.id)["model_bytes"].missing
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "place", ["Recording._describe", "Recording.__init__", "keep_fit", "predicts"]
)
def test_a_fault_of_ours_is_one_line_and_the_fit_is_done(
    run, hooked, capfd, monkeypatch, place
):
    def fail(*args, **kwargs):
        raise RuntimeError("no luck")

    monkeypatch.setattr(f"{hook_module.__name__}.{place}", fail)
    plain = LogisticRegression(max_iter=200)
    for _ in range(3):
        assert plain.fit(X, Y).predict(X[:3]).tolist() == [0, 0, 0]
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "no luck" in err
    assert guard.is_off(hook_module.FEATURE)


def test_stop_pressed_during_a_fit_does_not_lose_its_result(run, hooked):
    class Slow(Constant):
        def fit(self, x, y):
            run.request_stop("test")
            return super().fit(x, y)

    model = Slow().fit(X, Y)
    assert model.classes_.tolist() == [0, 1, 2]
    with pytest.raises(nbtrack.RunStopped):
        run.log(loss=1.0)


def test_fits_of_two_threads_are_two_fits(run, hooked):
    threads = [
        threading.Thread(target=lambda: RandomForestClassifier(20).fit(X, Y))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.finish()
    assert run.record().metrics["perf/fit_s"].n == 2


def test_without_a_run_nothing_is_recorded(store_path, hooked, capfd):
    LogisticRegression().fit(X[:100], Y[:100])
    assert not store_path.exists()
    assert capfd.readouterr().err == ""


def test_a_run_that_is_told_not_to_look_does_not(store_path, hooked):
    with nbtrack.start(off="autolog") as run:
        LogisticRegression().fit(X[:100], Y[:100])
    assert run.record().params == {}
    assert run.record().metrics == {}


def test_a_large_forest_is_not_measured_at_any_price(run, hooked, monkeypatch):
    from nbtrack.tracking.callbacks import sklearn_results

    monkeypatch.setattr(sklearn_results, "MODEL_S", (0.0, 0.0))
    RandomForestClassifier(50).fit(X, Y)
    run.finish()
    assert run.record().model_bytes is None
    assert "takes longer" in run.store.facts(run.id)["model_bytes"].missing


def test_a_model_that_cannot_be_pickled_says_so(run, hooked):
    Constant(answer=lambda: 1).fit(X, Y)
    run.finish()
    assert "cannot be pickled" in run.store.facts(run.id)["model_bytes"].missing


def test_secrets_among_settings_are_not_kept(run, hooked):
    Constant(answer="hf_abcdefghijklmnopqrstuvwxyz012345").fit(X, Y)
    run.finish()
    assert shown(run.record())["Constant.answer"] == "[redacted]"


def test_what_a_score_fits_for_itself_is_no_fit_of_the_users(store_path, hooked):
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import StandardScaler

    with nbtrack.start("base") as run:
        log_loss([0, 1, 1], [0.1, 0.8, 0.9])
        StandardScaler().fit_transform([[0.0], [1.0]])
    params = run.record().params
    assert not [name for name in params if "LabelBinarizer" in name]
    assert [name for name in params if "StandardScaler" in name]
