"""ROC and precision-recall curves and confusion matrices, kept as numbers.

Computed as scikit-learn does, ties included: areas over every distinct threshold, then
at most 2000 points a curve are kept for drawing, of which none changes the area that
stands beside them. What has no curve (one class only, NaN among the scores) is refused
with the reason. Nothing here needs scikit-learn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.tracking.media.content import Content, Snapshot, kind_of, refusal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Kind = Literal["roc", "pr"]
POINTS_MAX = 2000  # of one curve; of all curves of many classes ten times as many
POINTS_MIN = 100
CLASSES_MAX = 500  # of a confusion matrix, and of the curves of one value
_AVERAGED = {"roc": "auc", "pr": "average_precision"}


def curve_snapshot(
    y_true: Any,  # arrays, tensors, series, lists
    y_score: Any,
    *,
    kind: Kind,
    labels: Sequence[Any] | None = None,
    pos_label: Any = None,  # a label of any type
) -> Snapshot:
    """The curves of scores: one for two classes, one against the rest for more.

    Raises
    ------
    ValueNotLoggedError
        When there is no such curve, with the reason.
    """
    truth, scores = _array(y_true, "y_true"), _array(y_score, "y_score")
    if scores.dtype.kind not in "biuf":
        raise refusal("y_score has no numbers", "Give scores or probabilities")
    scores = scores.astype(float)
    _refuse_nan(truth, "y_true")
    _refuse_nan(scores, "y_score")
    if len(truth) != len(scores):
        raise _unequal(truth, scores, "y_score")
    columns = _one_against_rest(truth, scores, labels, pos_label)
    size = sum(is_it.nbytes + score.nbytes for _, is_it, score in columns)
    return Snapshot(partial(_curves, columns, kind), size)


def confusion_snapshot(
    y_true: Any,  # arrays, tensors, series, lists
    y_pred: Any,
    labels: Sequence[Any] | None = None,
) -> Snapshot:
    """How often each class was taken for which.

    Raises
    ------
    ValueNotLoggedError
        When there is no such matrix, with the reason.
    """
    truth, guess = _array(y_true, "y_true"), _array(y_pred, "y_pred")
    for one, name in ((truth, "y_true"), (guess, "y_pred")):
        if one.ndim != 1:
            raise refusal(
                f"{name} has the shape {one.shape}",
                "Give one class a sample: for scores, y_score.argmax(1)",
            )
        _refuse_nan(one, name)
    if len(truth) != len(guess):
        raise _unequal(truth, guess, "y_pred")
    values, shown = _classes(truth, guess, labels)
    matrix = _counted(truth, guess, values)
    data = {"n": len(truth), "accuracy": _accuracy(truth, guess)}
    main = {"labels": shown, "matrix": matrix.tolist()}
    return Snapshot(lambda: Content("confusion_matrix", data, main=main))


# ---- curves


def roc_points(is_positive: Array, score: Array) -> tuple[Array, Array, Array, float]:
    """False and true positive rates, thresholds, and the area under the curve."""
    import numpy as np

    false, true, thresholds = _cumulated(is_positive, score)
    false, true = np.r_[0, false], np.r_[0, true]
    x, y = false / false[-1], true / true[-1]
    area = float(np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1])) / 2)
    return x, y, np.r_[np.inf, thresholds], area


def pr_points(is_positive: Array, score: Array) -> tuple[Array, Array, Array, float]:
    """Recall, precision, thresholds, and the average precision."""
    import numpy as np

    false, true, thresholds = _cumulated(is_positive, score)
    precision, recall = true / (true + false), true / true[-1]
    area = float(np.sum(np.diff(np.r_[0.0, recall]) * precision))
    return (
        np.r_[0.0, recall], np.r_[1.0, precision], np.r_[np.inf, thresholds], area
    )  # fmt: skip


def _cumulated(is_positive: Array, score: Array) -> tuple[Array, Array, Array]:
    """How many of each class score at least so much, at every distinct score."""
    import numpy as np

    order = np.argsort(-score, kind="stable")
    score, hit = score[order], is_positive[order]
    last_of_tie = np.r_[np.flatnonzero(score[1:] != score[:-1]), len(score) - 1]
    true = np.cumsum(hit, dtype=np.float64)[last_of_tie]
    return 1 + last_of_tie - true, true, score[last_of_tie]


def _curves(columns: list[tuple[Any, Array, Array]], kind: Kind) -> Content:
    points = roc_points if kind == "roc" else pr_points
    limit = max(POINTS_MIN, min(POINTS_MAX, 10 * POINTS_MAX // len(columns)))
    curves, areas = [], []
    for label, is_positive, score in columns:
        x, y, thresholds, area = points(is_positive, score)
        kept = _corners(x, y, limit)
        areas.append(area)
        curves.append(
            {
                "label": label,
                "n_positive": int(is_positive.sum()),
                "area": area,
                "x": x[kept].tolist(),
                "y": y[kept].tolist(),
                "thresholds": [
                    value if math.isfinite(value) else None
                    for value in thresholds[kept].tolist()
                ],
            }
        )
    mean = sum(areas) / len(areas)
    name = _AVERAGED[kind]
    data = {name: mean, "n": len(columns[0][1]), "n_classes": max(2, len(columns))}
    return Content(kind, data, main={"curves": curves}, metrics={name: mean})


def _corners(x: Array, y: Array, limit: int) -> Array:
    """Which points to keep: where the curve turns, and of many turns an even share."""
    import numpy as np

    dx, dy = np.diff(x), np.diff(y)
    turns = dx[1:] * dy[:-1] != dx[:-1] * dy[1:]
    kept = np.r_[0, 1 + np.flatnonzero(turns), len(x) - 1]
    if len(kept) > limit:
        length = np.r_[0, np.cumsum(np.hypot(np.diff(x[kept]), np.diff(y[kept])))]
        places = np.searchsorted(length, np.linspace(0, length[-1], limit))
        kept = kept[np.minimum(places, len(kept) - 1)]
    return np.unique(kept)


def _one_against_rest(
    truth: Array, scores: Array, labels: Sequence[Any] | None, pos_label: Any
) -> list[tuple[Any, Array, Array]]:
    """A label, who is of it, and the scores for it."""
    if truth.ndim == 2 and truth.shape == scores.shape:  # several labels a sample
        names = _named(labels, range(truth.shape[1]), scores.shape[1])
        found = [(n, truth[:, k] > 0, scores[:, k]) for k, n in enumerate(names)]
        return [_both_there(*column) for column in found]
    if truth.ndim != 1 or scores.ndim > 2:
        raise _unequal(truth, scores, "y_score")
    classes = _sorted(truth)
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    if scores.ndim == 2 and scores.shape[1] == 2 and len(classes) <= 2:
        scores = scores[:, 1]
    if scores.ndim == 1:
        return [_two_classes(truth, scores, classes, labels, pos_label)]
    names = _named(labels, classes, scores.shape[1])
    values = names if set(names) & set(classes) else _numbered(classes, names)
    return [
        _both_there(_plain(name), truth == value, scores[:, k])
        for k, (name, value) in enumerate(zip(names, values, strict=True))
    ]


def _two_classes(
    truth: Array,
    scores: Array,
    classes: list[Any],
    labels: Sequence[Any] | None,
    pos_label: Any,
) -> tuple[Any, Array, Array]:
    if len(classes) > 2:
        raise refusal(
            f"y_true has {len(classes)} classes and y_score one column",
            "Give a column of scores for each class, in the order of `labels`",
        )
    given = list(labels) if labels is not None and len(labels) == 2 else classes
    positive = pos_label if pos_label is not None else given[-1]
    return _both_there(_plain(positive), truth == positive, scores)


def _both_there(label: Any, is_it: Any, score: Array) -> tuple[Any, Array, Array]:
    import numpy as np

    is_it = np.array(is_it, dtype=bool)
    if is_it.all() or not is_it.any():
        who = "every sample" if is_it.size and is_it.all() else "no sample"
        raise refusal(
            f"{who} is of class {_plain(label)!r}, so there is no curve",
            "Evaluate on samples of both classes",
        )
    return label, is_it, np.array(score)


def _named(labels: Sequence[Any] | None, classes: Any, n: int) -> list[Any]:
    names = list(classes) if labels is None else list(labels)
    if len(names) != n:
        raise refusal(
            f"y_score has {n} columns and there are {len(names)} classes",
            "Give `labels` in the order of the columns",
        )
    if n > CLASSES_MAX:
        raise refusal(f"{n} classes are too many", f"Log at most {CLASSES_MAX}")
    return [_plain(name) for name in names]


def _numbered(classes: list[Any], names: list[Any]) -> list[Any]:
    """Names for classes that are numbered from 0."""
    if all(isinstance(value, int) and 0 <= value < len(names) for value in classes):
        return list(range(len(names)))
    raise _foreign(classes, names)


# ---- confusion


def _classes(
    truth: Array, guess: Array, labels: Sequence[Any] | None
) -> tuple[list[Any], list[Any]]:
    """The values of the classes, and how they are shown."""
    if not len(truth):
        raise refusal("y_true is empty", "Give one class a sample")
    if (truth.dtype.kind in "US") != (guess.dtype.kind in "US"):
        raise refusal(
            "one of y_true and y_pred has texts, the other has none",
            "Give the same kind of label in both",
        )
    found = sorted({*_sorted(truth), *_sorted(guess)})
    shown = found if labels is None else [_plain(label) for label in labels]
    values = shown if set(shown) & set(found) else _numbered(found, shown)
    if len(values) > CLASSES_MAX:
        raise refusal(
            f"{len(values)} classes are too many for a matrix",
            f"Give the {CLASSES_MAX} that matter as `labels`",
        )
    return values, shown


def _counted(truth: Array, guess: Array, values: list[Any]) -> Array:
    import numpy as np

    places = {value: at for at, value in enumerate(values)}
    rows = np.array([places.get(value, -1) for value in truth.tolist()])
    columns = np.array([places.get(value, -1) for value in guess.tolist()])
    both = (rows >= 0) & (columns >= 0)
    n = len(values)
    counts = np.bincount(rows[both] * n + columns[both], minlength=n * n)
    return counts.reshape(n, n)


def _accuracy(truth: Array, guess: Array) -> float:
    return float((truth == guess).mean())


# ---- arrays


def _array(values: Any, name: str) -> Array:
    """The values as an array of one or two dimensions, with plain texts."""
    import numpy as np

    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach()
        values = (values.float() if values.is_floating_point() else values).cpu()
    try:
        array = np.asarray(values)
    except ValueError as exc:
        raise refusal(f"{name} is no regular array ({exc})", _GIVE) from exc
    if array.dtype == object:
        array = _of_objects(array, name)
    if array.dtype.kind not in "biufUS" or array.ndim not in (1, 2) or not array.size:
        raise refusal(f"{name} ({kind_of(values)}) has no labels or scores", _GIVE)
    return array


_GIVE = "Give arrays, tensors or lists, one entry a sample"


def _of_objects(array: Array, name: str) -> Array:
    """An array of Python objects, as pandas has texts, in the type that they have."""
    import numpy as np
    import pandas as pd

    if bool(np.any(pd.isna(array))):
        raise _missing(name, int(np.sum(pd.isna(array))))
    kinds = {type(value) for value in array.ravel().tolist()}
    if not kinds <= {str} and not kinds <= {int, float, bool}:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise refusal(f"{name} mixes types ({names})", "Give labels of one type")
    return np.array(array.tolist())


def _refuse_nan(array: Array, name: str) -> None:
    import numpy as np

    if array.dtype.kind == "f" and (n := int(np.isnan(array).sum())):
        raise _missing(name, n)


def _missing(name: str, n: int) -> Exception:
    return refusal(
        f"{name} has {n} missing values (NaN)",
        "Leave those samples out, or look at why the model gives them",
    )


def _unequal(truth: Array, other: Array, name: str) -> Exception:
    return refusal(
        f"y_true has the shape {truth.shape} and {name} {other.shape}",
        "Give one entry a sample in both",
    )


def _foreign(found: list[Any], labels: list[Any]) -> Exception:
    return refusal(
        f"none of the labels {str(labels)[:60]} is in the data ({str(found)[:60]})",
        "Give the values of the classes, or names for classes numbered from 0",
    )


def _sorted(values: Array) -> list[Any]:
    import numpy as np

    return [_plain(value) for value in np.unique(values).tolist()]


def _plain(value: Any) -> Any:
    """A label as JSON has it: whole floats are whole numbers."""
    item = getattr(value, "item", None)
    value = item() if callable(item) else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, bool | int | float | str) else str(value)
