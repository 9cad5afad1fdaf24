"""`wandb.plot`: charts that are logged like values.

Confusion matrices and ROC and precision-recall curves are kept as nbtrack's own, from
which any size of sample is counted; the others as a plotly figure, with their table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nbtrack.compat.wandb.configured import plain
from nbtrack.compat.wandb.saying import say_once
from nbtrack.compat.wandb.tables import Table
from nbtrack.compat.wandb.values import Media
from nbtrack.tracking.media.content import Snapshot
from nbtrack.tracking.media.figures import plotly_content

if TYPE_CHECKING:
    from nbtrack.tracking.run import Run

Keep = Callable[["Run", str, "int | None"], None]


class CustomChart(Media):
    """A chart that is ready to be logged."""

    def __init__(self, keep: Keep, table: Table | None = None) -> None:
        self._keep = keep
        self.table = table

    def keep(self, run: Run, name: str, step: int | None) -> None:
        """Hand it to the run."""
        self._keep(run, name, step)
        if self.table is not None:
            self.table.keep(run, f"{name}_table", step)


def confusion_matrix(
    probs: Any = None,
    y_true: Any = None,
    preds: Any = None,
    class_names: Sequence[str] | None = None,
    title: str = "Confusion Matrix Curve",
    split_table: bool = False,
) -> CustomChart:
    """How often each class was taken for which: of predictions, or of probabilities.

    Raises
    ------
    ValueError
        When both or neither of `probs` and `preds` are given.
    """
    if (probs is None) == (preds is None):
        raise ValueError("Either `probs` or `preds` is needed, and not both.")
    guessed = preds if probs is None else _likeliest(probs)

    def keep(run: Run, name: str, step: int | None) -> None:
        truth = y_true if y_true is not None else []
        run.log_confusion_matrix(
            truth, guessed, labels=class_names, name=name, step=step
        )

    return CustomChart(keep)


def roc_curve(
    y_true: Any,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    title: str = "ROC Curve",
    split_table: bool = False,
) -> CustomChart:
    """A ROC curve for each class; its area is the metric `<name>.auc`."""

    def keep(run: Run, name: str, step: int | None) -> None:
        truth = _named(y_true, labels)
        run.log_roc(truth, y_probas, labels=labels, name=name, step=step)

    return CustomChart(keep)


def pr_curve(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Sequence[str] | None = None,
    classes_to_plot: Sequence[Any] | None = None,
    interp_size: int = 21,
    title: str = "Precision-Recall Curve",
    split_table: bool = False,
) -> CustomChart:
    """Precision against recall for each class, on every threshold."""

    def keep(run: Run, name: str, step: int | None) -> None:
        truth = _named(y_true, labels)
        run.log_pr(truth, y_probas, labels=labels, name=name, step=step)

    return CustomChart(keep)


def line(
    table: Table,
    x: str,
    y: str,
    stroke: str | None = None,
    title: str = "",
    split_table: bool = False,
) -> CustomChart:
    """A line over two columns; one for each value of `stroke`.

    >>> chart = line(Table(columns=["x", "y"], data=[[0, 1], [1, 3]]), "x", "y")
    >>> chart.table.data
    [[0, 1], [1, 3]]
    """
    if stroke is None:
        traces = [_trace(table, x, y, mode="lines")]
    else:
        kinds = list(dict.fromkeys(table.get_column(stroke)))
        traces = [_of_kind(table, x, y, stroke, kind) for kind in kinds]
    return _figure(traces, title, x=x, y=y, table=table)


def scatter(
    table: Table, x: str, y: str, title: str = "", split_table: bool = False
) -> CustomChart:
    """Points over two columns."""
    trace = _trace(table, x, y, mode="markers")
    return _figure([trace], title, x=x, y=y, table=table)


def bar(
    table: Table, label: str, value: str, title: str = "", split_table: bool = False
) -> CustomChart:
    """A bar for each row."""
    trace = {"type": "bar", "x": _cells(table, label), "y": _cells(table, value)}
    return _figure([trace], title, x=label, y=value, table=table)


def histogram(
    table: Table, value: str, title: str = "", split_table: bool = False
) -> CustomChart:
    """How a column's values are spread."""
    trace = {"type": "histogram", "x": _cells(table, value)}
    return _figure([trace], title, x=value, y="count", table=table)


def line_series(
    xs: Iterable[Any],
    ys: Iterable[Iterable[Any]],
    keys: Iterable[str] | None = None,
    title: str = "",
    xname: str = "x",
    split_table: bool = False,
) -> CustomChart:
    """Several lines over one x, or over an x of their own.

    Raises
    ------
    ValueError
        When there are not as many xs or keys as lines.
    """
    lines = [list(plain(list(y))) for y in ys]
    places = plain(list(xs))
    own = bool(places) and isinstance(places[0], list)
    each = places if own else [places for _ in lines]
    names = [f"key_{at}" for at in range(len(lines))] if keys is None else list(keys)
    if len(each) != len(lines) or len(names) != len(lines):
        raise ValueError(f"{len(lines)} lines, {len(each)} xs and {len(names)} keys")
    table = Table(columns=["step", "lineKey", "lineVal"])
    for x, y, name in zip(each, lines, names, strict=True):
        for at, value in zip(x, y, strict=False):
            table.add_data(at, name, value)
    traces = [
        {"type": "scatter", "mode": "lines", "name": str(n), "x": x, "y": y}
        for x, y, n in zip(each, lines, names, strict=True)
    ]
    return _figure(traces, title, x=xname, y="", table=table)


def plot_table(
    vega_spec_name: str,
    data_table: Table,
    fields: Mapping[str, Any],
    string_fields: Mapping[str, Any] | None = None,
    split_table: bool = False,
) -> CustomChart:
    """A chart by a specification that lies on wandb's servers: its table is kept."""
    say_once(
        "plot_table",
        f"the chart {vega_spec_name!r} is described on wandb's servers: its table is "
        "kept, and is not drawn",
    )
    return CustomChart(lambda run, name, step: None, data_table)


def _figure(
    traces: list[dict[str, Any]], title: str, *, x: str, y: str, table: Table
) -> CustomChart:
    axes = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}
    figure = {"data": traces, "layout": {"title": {"text": title}, **axes}}

    def keep(run: Run, name: str, step: int | None) -> None:
        snapshot = Snapshot(partial(plotly_content, figure))
        run.keep_snapshot(name, snapshot, kind="figure", step=step)

    return CustomChart(keep, table)


def _trace(table: Table, x: str, y: str, *, mode: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": mode,
        "x": _cells(table, x),
        "y": _cells(table, y),
    }


def _of_kind(table: Table, x: str, y: str, stroke: str, kind: Any) -> dict[str, Any]:
    chosen = Table(columns=table.columns)
    at = table.columns.index(stroke)
    chosen.data = [row for row in table.data if row[at] == kind]
    return {**_trace(chosen, x, y, mode="lines"), "name": str(kind)}


def _cells(table: Table, column: str) -> list[Any]:
    return [plain(cell) for cell in table.get_column(column)]


def _likeliest(probs: Any) -> Any:
    import numpy as np

    if hasattr(probs, "detach"):
        probs = probs.detach().cpu().numpy()
    return np.argmax(np.asarray(probs), axis=1)


def _named(y_true: Any, labels: Sequence[str] | None) -> Any:
    """The classes by name, where `labels` names classes that are numbered."""
    import numpy as np

    if hasattr(y_true, "detach"):
        y_true = y_true.detach().cpu().numpy()
    truth = np.asarray(y_true)
    if labels is None or truth.ndim != 1 or truth.dtype.kind not in "iub":
        return truth
    if set(truth.tolist()) & set(labels) or not truth.size:
        return truth
    numbers = truth.astype(int)
    fits = bool((numbers >= 0).all() and (numbers < len(labels)).all())
    return np.asarray([str(label) for label in labels])[numbers] if fits else truth
