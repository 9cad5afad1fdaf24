"""What mattered to a model: importance of features, and SHAP values.

Importance comes from numbers and names, or from a fitted estimator (scikit-learn,
XGBoost, LightGBM) that knows its own. Of SHAP values the mean of the absolute value of
each feature is kept, over all rows, and a bounded sample of rows for a closer look.
Neither scikit-learn nor shap is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nbtrack.tracking.media.content import Content, Snapshot, kind_of, refusal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

FEATURES_MAX = 1000  # the ones that matter most
ROWS_MAX = 200  # of SHAP values, evenly spread over the rows
SAMPLED_FEATURES_MAX = 100
_WAY_OUT = (
    "Give {name: number}, numbers and `names`, or a fitted estimator; else "
    "sklearn.inspection.permutation_importance(...)"
)


def importance_snapshot(
    what: Any,  # numbers, a mapping, a series, an estimator
    names: Sequence[str] | None = None,
    kind: str | None = None,
) -> Snapshot:
    """How much each feature mattered.

    Raises
    ------
    ValueNotLoggedError
        For what does not say.
    """
    import numpy as np

    found, known, kind_found, std = _importance(what, kind)
    values = np.array(found, dtype=float)
    if values.ndim > 1:  # a row of coefficients for each class
        values = np.abs(values).mean(axis=tuple(range(values.ndim - 1)))
    labels = _labels(names if names is not None else known, values.size)
    order = np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")[:FEATURES_MAX]
    main: dict[str, Any] = {
        "names": [labels[k] for k in order],
        "values": [_number(values[k]) for k in order],
    }
    if std is not None:
        main["std"] = [_number(value) for value in np.asarray(std)[order]]
    data = {"kind": kind_found or "given", "n_features": int(values.size)}
    return Snapshot(lambda: Content("importance", data, main=main))


def shap_snapshot(
    values: Any,  # an array, a list of them, a shap.Explanation
    feature_names: Sequence[str] | None = None,
    data: Any = None,  # the rows that were explained
) -> Snapshot:
    """SHAP values of rows x features, or rows x features x outputs.

    Raises
    ------
    ValueNotLoggedError
        For anything else.
    """
    import numpy as np

    names = feature_names
    if hasattr(values, "values") and hasattr(values, "base_values"):
        names = names if names is not None else getattr(values, "feature_names", None)
        data = data if data is not None else values.data
        values = values.values
    if names is None:
        names = getattr(data, "columns", None)
    array = _shap_array(values)
    labels = _labels(names, array.shape[1])
    rows = None if data is None else np.asarray(data)
    if rows is not None and rows.shape[:2] != array.shape[:2]:
        raise refusal(
            f"the data has the shape {rows.shape} and the values {array.shape}",
            "Give the rows that were explained",
        )
    places = np.unique(
        np.linspace(0, len(array) - 1, min(ROWS_MAX, len(array))).astype(int)
    )
    sample = None if rows is None else rows[places]
    return Snapshot(partial(_explained, array.copy(), labels, places, sample))


def _explained(
    array: Array, names: list[str], places: Array, sample: Array | None
) -> Content:
    import numpy as np

    size = np.abs(array)
    by_output = np.nanmean(size, axis=0).reshape(array.shape[1], -1)
    mean = by_output.mean(axis=1)
    order = np.argsort(-np.nan_to_num(mean), kind="stable")
    most = order[:SAMPLED_FEATURES_MAX]
    told = order[:FEATURES_MAX]
    main: dict[str, Any] = {
        "names": [names[k] for k in told],
        "values": [_number(mean[k]) for k in told],
        "sample": {
            "names": [names[k] for k in most],
            "rows": places.tolist(),
            "values": _nested(array[places][:, most]),
        },
    }
    if array.ndim == 3:
        main["by_output"] = _nested(by_output[told].T)
    if sample is not None:
        main["sample"]["data"] = [
            [_entry(value) for value in row] for row in sample[:, most].tolist()
        ]
    data = {
        "kind": "mean |SHAP|",
        "n_rows": len(array),
        "n_features": array.shape[1],
        "n_outputs": 1 if array.ndim == 2 else array.shape[2],
    }
    if n_nan := int(np.isnan(array).sum()):
        data["n_nan"] = n_nan
    return Content("shap", data, main=main)


def _shap_array(values: Any) -> Array:
    import numpy as np

    if isinstance(values, list | tuple) and len(values) and np.ndim(values[0]) == 2:
        values = np.stack([np.asarray(one) for one in values], axis=-1)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or array.ndim not in (2, 3) or not array.size:
        raise refusal(
            f"{kind_of(values)} of shape {array.shape} are no SHAP values",
            "Give rows x features (x outputs), or a shap.Explanation",
        )
    return array.astype(np.float64)


# ---- importance of what


def _importance(
    what: Any, kind: str | None
) -> tuple[Any, Sequence[str] | None, str | None, Any]:
    """Values, names, kind and spread; None for what is not told."""
    if isinstance(what, Mapping):
        if {"importances_mean", "importances_std"} <= what.keys():
            std = what["importances_std"]
            return what["importances_mean"], None, kind or "permutation", std
        return list(what.values()), [str(name) for name in what], kind, None
    if hasattr(what, "index") and hasattr(what, "to_numpy"):
        return what.to_numpy(), [str(name) for name in what.index], kind, None
    if hasattr(what, "fit") or hasattr(what, "get_score"):
        return _of_estimator(what, kind)
    if hasattr(what, "feature_importance") and hasattr(what, "feature_name"):
        kind = kind or "gain"  # a Booster of LightGBM
        return what.feature_importance(kind), what.feature_name(), kind, None
    return _numbers(what), None, kind, None


def _of_estimator(
    model: Any, kind: str | None
) -> tuple[Any, Sequence[str] | None, str | None, Any]:
    model = getattr(model, "best_estimator_", model)  # a search
    names: Any = None
    steps = getattr(model, "steps", None)
    if isinstance(steps, list) and steps:  # a pipeline
        if len(steps) > 1 and hasattr(model[:-1], "get_feature_names_out"):
            names = _names_behind(model[:-1])
        model = steps[-1][1]
    if hasattr(model, "get_score"):  # a Booster of XGBoost
        kind = kind or "gain"
        found = model.get_score(importance_type=kind)
        return list(found.values()), list(found), kind, None
    if names is None:
        names = getattr(model, "feature_names_in_", None)
    if (values := getattr(model, "feature_importances_", None)) is not None:
        return values, names, kind or _kind_of_importance(model), None
    if (values := getattr(model, "coef_", None)) is not None:
        return _coefficients(values), names, kind or "coefficient", None
    raise refusal(f"{kind_of(model)} knows no importance", _WAY_OUT)


def _names_behind(steps: Any) -> Any:
    try:
        return steps.get_feature_names_out()
    except (AttributeError, ValueError):  # a step that cannot tell
        return None


def _kind_of_importance(model: Any) -> str:
    """What the estimator counts: splits, gain, impurity."""
    told = getattr(model, "importance_type", None)
    if isinstance(told, str):
        return told
    return "gain" if hasattr(model, "get_booster") else "impurity"


def _coefficients(values: Any) -> Any:
    import numpy as np

    array = np.asarray(values)
    return array[0] if array.ndim == 2 and len(array) == 1 else array


def _numbers(values: Any) -> Any:
    import numpy as np

    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu().float().numpy()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or not array.ndim or not array.size:
        raise refusal(f"{kind_of(values)} does not say what mattered", _WAY_OUT)
    return array


def _labels(names: Any, n: int) -> list[str]:
    if names is None:
        return [f"feature {k}" for k in range(n)]
    labels = [str(name) for name in names]
    if len(labels) != n:
        raise refusal(
            f"there are {len(labels)} names and {n} features", "Give one name a feature"
        )
    return labels


def _number(value: Any) -> float | None:
    number = float(value)
    return number if number - number == 0 else None  # JSON has no NaN


def _nested(array: Array) -> Any:
    return [_nested(row) if row.ndim else _number(row) for row in array]


def _entry(value: Any) -> Any:
    """A value of a feature: a number, or its text."""
    if isinstance(value, bool | int | str) or value is None:
        return value
    return _number(value) if isinstance(value, float) else str(value)
