"""Predictions one by one: a table that two runs are joined on by the example's id.

Classes get a column `correct`, numbers a column `error`. Ids may be anything that
stands in a column; without ids the rows are numbered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.errors import ValueNotLoggedError
from nbtrack.tracking.media.content import Snapshot, refusal
from nbtrack.tracking.media.tables import snapshot_of as table_snapshot

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

Task = Literal["classification", "regression"]
SCORES_MAX = 20  # columns; of more classes the score of the predicted one is kept


def snapshot_of(
    y_true: Any,  # arrays, tensors, series, lists
    y_pred: Any,
    *,
    ids: Sequence[Any] | None = None,
    scores: Any = None,
    task: Task | None = None,
) -> Snapshot:
    """The table of predictions, as they are now.

    Raises
    ------
    ValueNotLoggedError
        When the lengths differ, or something is no column.
    """
    import pandas as pd

    truth, guess = _column(y_true, "y_true"), _column(y_pred, "y_pred")
    if task is None:
        task = "regression" if _are_amounts(truth) else "classification"
    columns = {
        "id": range(len(truth)) if ids is None else _column(ids, "ids"),
        "y_true": truth,
        "y_pred": guess,
        **(_judged(truth, guess, task)),
        **({} if scores is None else _scores(scores)),
    }
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise refusal(f"the columns differ in length ({told})", "Give one entry each")
    frame = pd.DataFrame(columns)
    n_twice = int(frame["id"].duplicated().sum())
    data = {"task": task, **({"n_ids_twice": n_twice} if n_twice else {})}
    return table_snapshot(frame, type="predictions", data=data)


def _judged(truth: Array, guess: Array, task: Task) -> dict[str, Any]:
    if len(truth) != len(guess):
        raise refusal(
            f"y_true has {len(truth)} entries and y_pred {len(guess)}",
            "Give one entry a sample in both",
        )
    if task == "classification":
        return {"correct": truth == guess}
    return {"error": guess.astype(float) - truth.astype(float)}


def _scores(scores: Any) -> dict[str, Any]:
    import numpy as np

    array = np.asarray(_plain(scores))
    if array.ndim == 1:
        return {"score": array}
    if array.ndim != 2:
        raise refusal(f"scores have the shape {array.shape}", "Give samples x classes")
    if array.shape[1] > SCORES_MAX:
        return {"score": array.max(axis=1)}
    return {f"score.{k}": array[:, k] for k in range(array.shape[1])}


def _column(values: Any, name: str) -> Array:
    import numpy as np

    array = np.asarray(_plain(values))
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueNotLoggedError(
            f"{name} has the shape {array.shape}. Give one entry a sample: for scores, "
            "y_score.argmax(1), and the scores themselves as `scores`."
        )
    return array


def _plain(values: Any) -> Any:
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach()
        values = (values.float() if values.is_floating_point() else values).cpu()
    return values


def _are_amounts(truth: Array) -> bool:
    """Floats that are not all whole: nobody numbers classes so."""
    import numpy as np

    if truth.dtype.kind != "f":
        return False
    finite: pd.Series[Any] | Array = truth[np.isfinite(truth)]
    return bool(np.any(finite != np.rint(finite)))
