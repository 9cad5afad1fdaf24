"""Boosters and ONNX in the registry, with the real libraries: in their own formats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nbtrack
from nbtrack.errors import ModelError

pytestmark = pytest.mark.frameworks
models = nbtrack.models

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(80, 3)), columns=["age", "sum", "more"])
WORDS = np.array(["no", "yes"])[(X["age"] > 0).astype(int)]
THREE = np.digitize(X["age"], [-0.5, 0.5])


@pytest.fixture(autouse=True)
def _own_store(store_path):
    """Every test has a store of its own."""


def kept(what, data=X):
    """The model as it comes back, without trust, and the format it was kept in."""
    made = models.register(what, "fraud", data=data, bump="major")
    return models.load(made.ref), made.parts[0]["format"]


def test_an_xgboost_estimator_predicts_the_labels_that_it_did():
    xgboost = pytest.importorskip("xgboost")
    small = {"n_estimators": 4, "max_depth": 2, "n_jobs": 1}
    for fitted in (
        xgboost.XGBClassifier(**small).fit(X, THREE),
        xgboost.XGBRegressor(**small).fit(X, X["sum"]),
        xgboost.XGBRFClassifier(**small).fit(X, THREE > 0),
    ):
        loaded, format_ = kept(fitted)
        assert format_ == "xgboost"
        assert type(loaded.model) is type(fitted)
        assert np.array_equal(loaded.predict(X), fitted.predict(X))


def test_an_xgboost_booster_comes_back_as_a_booster():
    xgboost = pytest.importorskip("xgboost")
    matrix = xgboost.DMatrix(X, THREE)
    booster = xgboost.train({"max_depth": 2, "nthread": 1}, matrix, 4)
    loaded, _ = kept(booster)
    assert isinstance(loaded.model, xgboost.Booster)
    assert np.array_equal(loaded.predict(X), booster.predict(matrix))


def test_a_lightgbm_estimator_predicts_the_labels_that_it_did():
    lightgbm = pytest.importorskip("lightgbm")
    small = {"n_estimators": 4, "num_leaves": 4, "n_jobs": 1, "verbose": -1}
    for fitted in (
        lightgbm.LGBMClassifier(**small).fit(X, WORDS),
        lightgbm.LGBMClassifier(**small).fit(X, THREE),
        lightgbm.LGBMRegressor(**small).fit(X, X["sum"]),
    ):
        loaded, format_ = kept(fitted)
        assert format_ == "lightgbm"
        assert np.array_equal(loaded.predict(X), fitted.predict(X))
        if hasattr(fitted, "predict_proba"):
            assert np.allclose(loaded.model.predict_proba(X), fitted.predict_proba(X))


def test_a_lightgbm_booster_comes_back_as_a_booster():
    lightgbm = pytest.importorskip("lightgbm")
    params = {"num_leaves": 4, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(params, lightgbm.Dataset(X, X["sum"]), 4)
    loaded, _ = kept(booster)
    assert isinstance(loaded.model, lightgbm.Booster)
    assert np.array_equal(loaded.predict(X), booster.predict(X))


def test_the_columns_of_a_booster_are_checked_before_it_predicts():
    xgboost = pytest.importorskip("xgboost")
    loaded, _ = kept(xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, X["sum"]))
    turned = X[["more", "sum", "age"]]
    assert np.array_equal(loaded.predict(turned), loaded.predict(X))
    with pytest.raises(ModelError, match="input 'age' is missing"):
        loaded.predict(X[["sum", "more"]])


def test_an_onnx_graph_is_kept_as_a_file_that_onnx_reads(tmp_path):
    onnx = pytest.importorskip("onnx")
    kind = onnx.TensorProto.FLOAT
    x = onnx.helper.make_tensor_value_info("x", kind, [None, 2])
    y = onnx.helper.make_tensor_value_info("y", kind, [None, 2])
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    graph = onnx.helper.make_graph([node], "relu", [x], [y])
    made = onnx.helper.make_model(graph)
    path = tmp_path / "relu.onnx"
    onnx.save(made, path)
    for what in (made, path, str(path)):
        loaded, format_ = kept(what, data=None)
        assert format_ == "onnx"
        onnx.checker.check_model(onnx.load(loaded.model))
        assert onnx.load(loaded.model) == made
