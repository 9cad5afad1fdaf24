"""SHAP values and importance of the real shap, LightGBM, XGBoost and Lightning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nbtrack

pytestmark = pytest.mark.frameworks
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.random((300, 3)), columns=["age", "income", "noise"])
Y = (X["age"] * 2 + X["income"] > 1.5).astype(int)


@pytest.fixture(autouse=True)
def _nothing_else_is_captured(monkeypatch):
    monkeypatch.setenv("NBTRACK_OFF", "all")


def features(run, name):
    return nbtrack.media(run, name)[0].load()


def test_an_explanation_of_shap_is_kept_with_its_names_and_rows(run):
    shap = pytest.importorskip("shap")
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(X, Y)
    explanation = shap.TreeExplainer(model)(X)
    run.log_shap(explanation)
    found = features(run, "shap")
    exact = np.abs(explanation.values).mean(axis=0)
    if exact.ndim == 2:
        exact = exact.mean(axis=1)
    assert dict(found) == pytest.approx(dict(zip(X.columns, exact, strict=True)))
    assert found.index[0] == "age"
    sample = nbtrack.media(run, "shap")[0].main()["sample"]
    assert len(sample["rows"]) == 200
    assert len(sample["data"][0]) == 3


def test_shap_of_scikit_learn_with_several_classes_is_averaged(run):
    shap = pytest.importorskip("shap")
    from sklearn.ensemble import RandomForestClassifier

    three = (X["age"] * 3).astype(int)
    model = RandomForestClassifier(5, random_state=0).fit(X, three)
    values = shap.TreeExplainer(model).shap_values(X)
    run.log_shap(values, list(X.columns), data=X)
    assert nbtrack.media(run, "shap")[0].data["n_outputs"] == 3
    assert features(run, "shap").index[0] == "age"


def test_lightgbm_and_xgboost_know_their_importance(run):
    lightgbm = pytest.importorskip("lightgbm")
    xgboost = pytest.importorskip("xgboost")
    light = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(X, Y)
    extreme = xgboost.XGBClassifier(n_estimators=10).fit(X, Y)
    run.log_importance(light, name="light")
    run.log_importance(light.booster_, kind="split", name="light booster")
    run.log_importance(extreme, name="extreme")
    run.log_importance(extreme.get_booster(), kind="gain", name="extreme booster")
    exact = dict(zip(X.columns, light.feature_importances_, strict=True))
    assert dict(features(run, "light")) == dict(features(run, "light booster")) == exact
    exact = dict(zip(X.columns, extreme.feature_importances_, strict=True))
    assert dict(features(run, "extreme")) == pytest.approx(exact)
    assert dict(features(run, "extreme booster")) == pytest.approx(
        extreme.get_booster().get_score(importance_type="gain")
    )
    assert nbtrack.media(run, "light")[0].data["kind"] == "split"
    assert nbtrack.media(run, "extreme")[0].data["kind"] == "gain"


def test_a_model_that_lightning_trains_is_watched(run, tmp_path):
    lightning = pytest.importorskip("lightning")
    torch = pytest.importorskip("torch")

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def training_step(self, batch, _):
            return self.layer(batch[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    net = Net()
    nbtrack.watch(net, every=2)
    data = torch.utils.data.TensorDataset(torch.randn(12, 3))
    trainer = lightning.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path,
    )  # fmt: skip
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(net, torch.utils.data.DataLoader(data, batch_size=3))
    found = nbtrack.media(run, "gradients/layer.weight")
    assert [value.step for value in found] == [0, 2]
