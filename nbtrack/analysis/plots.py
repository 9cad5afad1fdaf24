"""Plots of rich values with plotly: curves of runs overlaid, bars and matrices.

Names of runs, classes and features are data: what plotly would read as markup, a
formula or a template is shown as it is written. Each call returns a figure to show or
to change; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from nbtrack.analysis.charts.figure import dressed, plain, titled
from nbtrack.analysis.media_view import RichValue, media, plotly_graph_objects
from nbtrack.errors import OptionError
from nbtrack.records import RunRecord
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from nbtrack.store import Store
    from nbtrack.tracking.run import Run

FEATURES_SHOWN = 20
CURVES_MAX = 50  # in one figure
RIDGES_MAX = 60  # steps in one figure; of more an even share


def plot_roc(
    *runs: Run | RunRecord | str,
    name: str = "roc",
    step: int | None = None,
    store: Store | None = None,
) -> go.Figure:
    """The ROC curves of one or several runs in one figure, with their areas.

    Parameters
    ----------
    *runs : Run, RunRecord or str
        Default: the last run.
    name : str
        Under which they were logged.
    step : int, optional
        Default: the last one of each run.

    Raises
    ------
    RunNotFoundError, OptionError
        When a run is not there, or has no such curve.
    MissingExtraError
        Where plotly is not installed.
    """
    return _curves(runs, "roc", name, step, store)


def plot_pr(
    *runs: Run | RunRecord | str,
    name: str = "pr",
    step: int | None = None,
    store: Store | None = None,
) -> go.Figure:
    """Precision against recall of one or several runs; see `plot_roc`."""
    return _curves(runs, "pr", name, step, store)


def plot_confusion(
    run: Run | RunRecord | str = "last",
    *,
    name: str = "confusion_matrix",
    step: int | None = None,
    normalize: bool = False,
    store: Store | None = None,
) -> go.Figure:
    """A confusion matrix; `normalize` shows the share of each true class.

    Raises
    ------
    RunNotFoundError, OptionError, MissingExtraError
        See `plot_roc`.
    """
    go = plotly_graph_objects()
    value = _one(run, name, "confusion_matrix", step, store)
    matrix = value.load()
    labels = [plain(label) for label in matrix.index]
    counts = matrix.to_numpy()
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    shown = shares if normalize else counts
    figure = go.Figure(
        go.Heatmap(
            z=shown, x=labels, y=labels, colorscale="Blues", showscale=False,
            text=[[f"{n:.2f}" if normalize else str(n) for n in row] for row in shown],
            texttemplate="%{text}",
        )
    )  # fmt: skip
    x = {"title": "predicted", "type": "category"}
    y = {"title": "true", "type": "category", "autorange": "reversed"}
    return dressed(figure, titled(_title(value)), x=x, y=y)


def plot_importance(
    *runs: Run | RunRecord | str,
    name: str = "importance",
    step: int | None = None,
    n: int = FEATURES_SHOWN,
    store: Store | None = None,
) -> go.Figure:
    """How much features mattered, runs side by side; also of `log_shap(name="shap")`.

    Raises
    ------
    RunNotFoundError, OptionError, MissingExtraError
        See `plot_roc`.
    """
    go = plotly_graph_objects()
    values = _of_runs(runs, name, ("importance", "shap"), step, store)
    loaded = {label: value.load() for label, value in values}
    names = _most_important(list(loaded.values()), n)
    figure = go.Figure()
    for label, series in loaded.items():
        figure.add_bar(
            x=[series.get(feature) for feature in names],
            y=[plain(feature) for feature in names],
            name=plain(label),
            orientation="h",
        )
    kinds = {str(value.data.get("kind", "")) for _, value in values}
    x = {"title": ", ".join(sorted(kinds))}
    y = {"type": "category", "autorange": "reversed"}
    return dressed(figure, titled(shorten(name, 60)), x=x, y=y, barmode="group")


def plot_histograms(
    run: Run | RunRecord | str = "last",
    name: str | None = None,
    *,
    store: Store | None = None,
) -> go.Figure:
    """Histograms over the steps of a run, one ridge a step, the latest in front.

    Raises
    ------
    RunNotFoundError, OptionError, MissingExtraError
        See `plot_roc`.
    """
    go = plotly_graph_objects()
    values = [v for v in media(run, name, store=store) if v.type == "histogram"]
    if not values:
        raise OptionError("The run has no histograms: run.log_histogram, nbtrack.watch")
    values = [value for value in values if value.name == values[0].name]
    shown = values[:: -(-len(values) // RIDGES_MAX)]
    figure = go.Figure()
    for at, value in enumerate(shown):
        figure.add_trace(_ridge(go, value, at, len(shown)))
    y = {"title": "step", "tickvals": list(range(len(shown)))}
    y["ticktext"] = [str(value.step) for value in shown]
    title = _title(values[0])
    if len(shown) < len(values):
        title += f" ({len(shown)} of {len(values)} steps)"
    return dressed(figure, titled(title), y=y, showlegend=False)


def join_predictions(
    a: Run | RunRecord | str,
    b: Run | RunRecord | str,
    *,
    name: str = "predictions",
    step: int | None = None,
    store: Store | None = None,
) -> pd.DataFrame:
    """The predictions of two runs, example by example, with what changed from a to b.

    Returns
    -------
    DataFrame
        `id`, `y_true`, `y_pred_a`, `y_pred_b`, and for classes `flip`: "fixed",
        "broken", "changed" (another wrong one) or "" where both say the same; for
        amounts `error_a`, `error_b` and `change` of the error's size. Examples that
        only one run has are left out; their numbers are in `.attrs`.

    Raises
    ------
    RunNotFoundError, OptionError
        When a run is not there, or has no such predictions, or the tasks differ.
    """
    values = [_one(run, name, "predictions", step, store) for run in (a, b)]
    tasks = {value.data.get("task") for value in values}
    if len(tasks) > 1:
        raise OptionError("One run predicts classes and the other amounts.")
    first, second = (_numbered(value.load()) for value in values)
    joined = first.merge(second, on=["id", "nth"], suffixes=("_a", "_b"))
    joined.attrs = {
        "only_in_a": len(first) - len(joined),
        "only_in_b": len(second) - len(joined),
        "y_true_differs": int((joined["y_true_a"] != joined["y_true_b"]).sum()),
    }
    joined = joined.rename(columns={"y_true_a": "y_true"})
    told = ["id", "y_true", "y_pred_a", "y_pred_b"]
    if tasks == {"regression"}:
        joined["change"] = joined["error_b"].abs() - joined["error_a"].abs()
        return joined[[*told, "error_a", "error_b", "change"]]
    joined["flip"] = _flips(joined)
    return joined[[*told, "correct_a", "correct_b", "flip"]]


# ---- inside


def _curves(
    runs: tuple[Any, ...],
    kind: Literal["roc", "pr"],
    name: str,
    step: int | None,
    store: Store | None,
) -> go.Figure:
    go = plotly_graph_objects()
    figure = go.Figure()
    for label, value in _of_runs(runs, name, (kind,), step, store):
        for curve, area in _named_curves(value):
            if len(figure.data) < CURVES_MAX:
                of_class = "" if curve["label"] is None else f": {curve['label']}"
                shown = f"{label}{of_class} ({area:.3f})"
                figure.add_scatter(
                    x=curve["x"], y=curve["y"], name=plain(shown),
                    mode="lines", line_shape="linear" if kind == "roc" else "hv",
                )  # fmt: skip
    if kind == "roc":
        figure.add_shape(
            type="line", x0=0, y0=0, x1=1, y1=1, line={"dash": "dot", "color": "gray"}
        )
    x, y = _AXIS_TITLES[kind]
    return dressed(
        figure,
        titled(shorten(name, 60)),
        x={"title": x, "range": [0, 1]},
        y={"title": y, "range": [0, 1.01]},
    )


_AXIS_TITLES = {
    "roc": ("false positive rate", "true positive rate"),
    "pr": ("recall", "precision"),
}


def _named_curves(value: RichValue) -> Iterator[tuple[dict[str, Any], float]]:
    """The curves of a value; of two classes there is one, which needs no name."""
    curves = value.main()["curves"]
    for curve in curves:
        named = curve if len(curves) > 1 else {**curve, "label": None}
        yield named, float(curve["area"])


def _of_runs(
    runs: tuple[Any, ...],
    name: str,
    kinds: tuple[str, ...],
    step: int | None,
    store: Store | None,
) -> list[tuple[str, RichValue]]:
    """A label and the value of each run; runs of one name are numbered."""
    found: dict[str, RichValue] = {}
    for run in runs or ("last",):
        value = _one(run, name, kinds, step, store)
        label, k = value.run, 2
        while label in found:
            label, k = f"{value.run} [{k}]", k + 1
        found[label] = value
    return list(found.items())


def _one(
    run: Any,
    name: str,
    kinds: str | tuple[str, ...],
    step: int | None,
    store: Store | None,
) -> RichValue:
    """The value of that name at a step; the last one by default."""
    values = media(run, name, store=store)
    wanted = [v for v in values if step is None or v.step == step]
    if not wanted:
        steps = ", ".join(str(v.step) for v in values[:10])
        raise OptionError(f"{visible(name)!r} has no step {step}. There are: {steps}.")
    value = wanted[-1]
    if value.type not in ((kinds,) if isinstance(kinds, str) else kinds):
        raise OptionError(f"{visible(name)!r} is of type {value.type}: not for this.")
    return value


def _title(value: RichValue) -> str:
    return f"{value.run}: {value.name}, step {value.step}"


def _most_important(loaded: list[Any], n: int) -> list[str]:
    """The features that matter most in any of the runs."""
    best: dict[str, float] = {}
    for series in loaded:
        for name, size in series.abs().fillna(0).items():
            best[str(name)] = max(best.get(str(name), 0.0), float(size))
    return sorted(best, key=lambda name: -best[name])[:n]


def _ridge(go: Any, value: RichValue, at: int, n: int) -> Any:
    counts, edges = value.load()
    peak = max(1, counts.max())
    middles = (edges[1:] + edges[:-1]) / 2
    shade = 40 + int(150 * (1 - at / max(1, n - 1)))
    return go.Scatter(
        x=[middles[0], *middles, middles[-1]],
        y=[at, *(at + 1.8 * counts / peak), at],
        fill="toself",
        line={"width": 1, "color": "white"},
        fillcolor=f"rgba({shade},{shade + 40},200,0.8)",
        name=f"step {value.step}",
        hovertemplate="%{x:.4g}",
    )


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    """An id that comes twice is joined with the second of the other run."""
    frame = frame.copy()
    frame["nth"] = frame.groupby("id").cumcount()
    return frame


def _flips(joined: pd.DataFrame) -> list[str]:
    rows = zip(
        joined["correct_a"],
        joined["correct_b"],
        joined["y_pred_a"] == joined["y_pred_b"],
        strict=True,
    )
    return [_flip(a, b, same) for a, b, same in rows]


def _flip(was_right: bool, is_right: bool, is_same: bool) -> str:
    if was_right != is_right:
        return "fixed" if is_right else "broken"
    return "" if is_same else "changed"
