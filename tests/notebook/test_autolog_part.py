"""In a tracked cell a plain `fit` is recorded, and afterwards all is as it was."""

from __future__ import annotations

import sys

import pytest

from nbtrack.store import Store
from nbtrack.tracking.autolog import hooks

pytestmark = pytest.mark.usefixtures("plain_surroundings")

pytest.importorskip("sklearn")

DATA = (
    "import numpy as np\n"
    "from sklearn.linear_model import Ridge\n"
    "X = np.arange(40.0).reshape(20, 2) % 7\n"
    "y = X.sum(axis=1)\n"
)


@pytest.fixture
def ip(shell):
    """The shell with the extension loaded, and data in it."""
    shell.run_cell("%load_ext nbtrack")
    shell.run_cell(DATA)
    yield shell
    shell.run_cell("%unload_ext nbtrack")


@pytest.fixture
def last(ip, store_path):
    """Runs a cell, and reads its run."""

    def run(cell):
        assert ip.run_cell(cell).success
        with Store.open(store_path) as store:
            return store.runs()[0]

    return run


def shown(record):
    return {name: param.value for name, param in record.params.items()}


def test_a_bound_estimator_has_one_description_under_its_own_name(last):
    record = last("%%track\nmodel = Ridge(alpha=0.5).fit(X, y)")
    params = shown(record)
    assert (params["model"], params["model.alpha"]) == ("Ridge", 0.5)
    assert (params["model.n_samples"], params["model.n_features"]) == (20, 2)
    assert not any(name.startswith("Ridge") for name in params)
    assert record.metrics["perf/fit_s"].n == 1
    assert record.model_bytes > 0


def test_an_estimator_of_an_earlier_cell_has_one_description_too(ip, last):
    ip.run_cell("model = Ridge(alpha=0.5)")
    params = shown(last("%%track\n_ = model.fit(X, y)"))
    assert params["model.alpha"] == 0.5
    assert params["model.n_samples"] == 20
    assert not any(name.startswith("Ridge") for name in params)


def test_estimators_that_are_gone_are_described_by_their_class(last):
    record = last(
        "%%track\nfor alpha in (0.1, 1.0):\n    score = Ridge(alpha=alpha).fit(X, y)\n"
        "score = score.score(X, y)"
    )
    params = shown(record)
    assert params["Ridge.alpha"] == 0.1
    numbered = {k: v for k, v in params.items() if k.startswith("Ridge-2")}
    assert numbered == {"Ridge-2": "Ridge", "Ridge-2.alpha": 1.0}
    assert record.metrics["perf/fit_s"].n == 2


def test_a_search_in_a_cell_has_its_candidates(ip, last):
    record = last(
        "%%track\nfrom sklearn.model_selection import GridSearchCV\n"
        "search = GridSearchCV(Ridge(), {'alpha': [0.1, 1.0, 10.0]}, cv=2).fit(X, y)"
    )
    assert record.metrics["mean_test_score"].n == 3
    search = ip.user_ns["search"]
    assert shown(record)["best.alpha"] == search.best_params_["alpha"]
    assert record.metrics["best_score"].last == search.best_score_


def test_a_class_that_the_cell_defines_is_seen(ip, last):
    record = last(
        "%%track\nfrom sklearn.base import BaseEstimator, RegressorMixin\n"
        "class Mean(RegressorMixin, BaseEstimator):\n"
        "    def fit(self, X, y):\n"
        "        self.mean_ = float(y.mean())\n"
        "        return self\n"
        "    def predict(self, X):\n"
        "        return np.full(len(X), self.mean_)\n"
        "mean = Mean().fit(X, y)"
    )
    assert record.metrics["perf/fit_s"].n == 1
    method = vars(ip.user_ns["Mean"])["fit"]
    assert type(method).__name__ == "function"


def test_after_the_cell_however_it_ends_everything_is_as_it_was(ip):
    ridge = ip.user_ns["Ridge"]
    before = vars(ridge.__mro__[1]).get("fit"), vars(ridge)["fit"]
    for body in ("pass", "1 / 0", "Ridge().fit(X, y[:3])", "raise KeyboardInterrupt"):
        ip.run_cell(f"%%track\nseen = vars(Ridge)['fit']\n{body}")
        assert ip.user_ns["seen"] is not before[1]
        after = vars(ridge.__mro__[1]).get("fit"), vars(ridge)["fit"]
        assert all(a is b for a, b in zip(before, after, strict=True))
        assert hooks._late not in sys.meta_path


def test_an_untracked_cell_and_one_that_is_told_so_record_nothing(ip, last):
    record = last("%%track --off autolog\nmodel = Ridge().fit(X, y)")
    assert "perf/fit_s" not in record.metrics
    ip.run_cell("Ridge().fit(X, y)")
    assert last("%%track\nx = 1").metrics == {}


def test_a_hook_that_fails_costs_one_line(ip, last, capsys, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no luck")

    monkeypatch.setattr("nbtrack.tracking.callbacks.sklearn.Hook._hook_into", fail)
    capsys.readouterr()
    for _ in range(2):
        record = last("%%track\nmodel = Ridge(alpha=0.5).fit(X, y)")
        assert shown(record)["model.alpha"] == 0.5
    said = capsys.readouterr()
    assert (said.out + said.err).count("no luck") == 1


def test_after_many_fits_the_one_that_is_left_still_has_its_facts(last):
    params = shown(
        last(
            "%%track\nfor alpha in range(1, 81):\n    Ridge(alpha=alpha).fit(X, y)\n"
            "model = Ridge(alpha=99).fit(X[:10], y[:10])"
        )
    )
    assert params["model.alpha"] == 99
    assert params["model.n_samples"] == 10
    assert len([name for name in params if name.startswith("Ridge-")]) == 2 * 7
