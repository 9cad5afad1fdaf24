"""XGBoost and LightGBM in their own formats, so that both predict as what was saved.

An estimator of their scikit-learn interfaces gives labels where its booster gives
probabilities; it comes back as an estimator, and nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A file from elsewhere names its class: one of these, or it is a plain booster.
_XGBOOST = (
    "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelledBooster:
    """A LightGBM classifier, read back from LightGBM's own file and its labels."""

    booster: Any  # lightgbm.Booster
    classes: tuple[Any, ...]

    def predict_proba(self, data: Any) -> Any:
        """The probability of each class, in the order of `classes`."""
        import numpy as np

        told = np.asarray(self.booster.predict(data))
        return np.column_stack([1.0 - told, told]) if told.ndim == 1 else told

    def predict(self, data: Any) -> Any:
        """The label of the most probable class."""
        import numpy as np

        return np.asarray(self.classes)[self.predict_proba(data).argmax(axis=1)]


def write_xgboost(what: Any, path: Path) -> dict[str, Any]:
    """Save a booster or an estimator of XGBoost."""
    what.save_model(path)
    return {"class": type(what).__name__}


def read_xgboost(path: Path, detail: Mapping[str, Any]) -> Any:
    """The booster, or the estimator of the class that was saved."""
    import xgboost

    known = detail.get("class")
    kind = getattr(xgboost, known) if known in _XGBOOST else xgboost.Booster
    found = kind()
    found.load_model(path)
    return found


def write_lightgbm(what: Any, path: Path) -> dict[str, Any]:
    """Save a booster or an estimator of LightGBM, with the labels of a classifier.

    Raises TypeError where the labels are no text or numbers.
    """
    classes = _labels(what)
    getattr(what, "booster_", what).save_model(path)
    name = {"class": type(what).__name__}
    return name if classes is None else {**name, "classes": classes}


def read_lightgbm(path: Path, detail: Mapping[str, Any]) -> Any:
    """The booster; of a classifier with its labels."""
    import lightgbm

    booster = lightgbm.Booster(model_file=path)
    classes = detail.get("classes")
    return booster if classes is None else LabelledBooster(booster, tuple(classes))


def _labels(what: Any) -> list[Any] | None:
    import lightgbm

    # With an objective of the user's own, the estimator gives the raw scores.
    if not isinstance(what, lightgbm.LGBMClassifier) or callable(what.objective_):
        return None
    labels: list[Any] = what.classes_.tolist()
    json.dumps(labels)
    return labels
