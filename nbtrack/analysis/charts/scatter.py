"""A param of runs against a metric, a dot a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbtrack.analysis.charts.axes import (
    MISSING,
    axis_of,
    is_finite,
    labels_of,
    ordered,
    scale_of,
)
from nbtrack.analysis.charts.figure import OTHER, dressed, plain
from nbtrack.analysis.charts.parallel import colours
from nbtrack.analysis.charts.scored import Scored, bare_name, scored
from nbtrack.analysis.comparing.columns import Column
from nbtrack.analysis.media_view import plotly_graph_objects

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nbtrack.store import Store

_SIZE = 9  # pixels


def plot_scatter(
    param: str,
    metric: str,
    query: str | None = None,
    *,
    colour: str | None = None,
    store: Store | None = None,
) -> go.Figure:
    """A param against the best value of a metric; a hover says which run and how.

    Parameters
    ----------
    param : str
        A param, or a metric or field. Numbers over more than two decades are on a log
        axis; what is no number has categories, a missing value among them.
    metric : str
        Its best value by its goal, the last one where it has none.
    query : str, optional
        As in `nbtrack.runs`; default: all runs.
    colour : str, optional
        A param, metric or field by which dots are coloured.
    store : Store, optional
        Default: the one of this folder.

    Returns
    -------
    plotly.graph_objects.Figure
        Its title says how many runs were left out, and why.

    Raises
    ------
    RunNotFoundError, MetricNotFoundError, OptionError, QueryError
        When there are no runs, no such metric or no such param, with a did-you-mean.
    MissingExtraError
        Where plotly is not installed.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start("base", params={"lr": lr}):
    ...         nbtrack.log(loss=lr / 2)
    >>> [dots] = nbtrack.plot_scatter("lr", "loss").data
    >>> sorted(zip(dots.x, dots.y))
    [(0.01, 0.005), (0.1, 0.05)]
    """
    go = plotly_graph_objects()
    found = scored(store, query, metric)
    found = _with_places(found, found.column(param))
    column = found.column(param)
    is_number = _is_numeric(column)
    x = list(map(float, column.values)) if is_number else labels_of(column.values)
    figure = go.Figure()
    for name, places, look in _parts(found, colour):
        hovers = found.take(places).hovers()
        figure.add_scatter(
            x=[x[at] if is_number else plain(x[at]) for at in places],
            y=[found.values[at] for at in places],
            name=plain(name), mode="markers", marker={"size": _SIZE, **look},
            hovertext=hovers, hoverinfo="text",
        )  # fmt: skip
    title = found.title(f"{found.label} by {bare_name(column)}")
    legend = {"title": {"text": plain(colour)}} if colour else {}
    return dressed(figure, title, x=_axis_x(column), y=found.axis, legend=legend)


def _is_numeric(column: Column) -> bool:
    return column.is_number and any(map(is_finite, column.values))


def _with_places(found: Scored, column: Column) -> Scored:
    """Without the runs that have no place on an axis of numbers."""
    if not _is_numeric(column):
        return found
    places = [at for at, value in enumerate(column.values) if is_finite(value)]
    name, n_none = bare_name(column), list(column.values).count(None)
    n_odd = len(column.values) - len(places) - n_none
    why = [f"{n_none} without {name}"] if n_none else []
    why += [f"{n_odd} with {name} NaN or infinite"] if n_odd else []
    return found.take(places, *why)


def _parts(
    found: Scored, colour: str | None
) -> list[tuple[str, list[int], dict[str, Any]]]:
    """The traces: a name, which runs, and how they look."""
    everyone = list(range(len(found.ids)))
    if colour is None:
        return [(found.metric, everyone, {})]
    column = found.column(colour)
    if not _is_numeric(column):
        labels = labels_of(column.values)
        parts: dict[str, list[int]] = {label: [] for label in ordered(column.values)}
        for at, label in enumerate(labels):
            parts[label].append(at)
        return [
            (label, places, {"color": OTHER} if label == MISSING else {})
            for label, places in parts.items()
        ]
    there = [at for at in everyone if is_finite(column.values[at])]
    rest = [at for at in everyone if at not in set(there)]
    axis = axis_of(column.take(there))
    look = colours(axis, bare_name(column), column.goal)
    gray = (f"{bare_name(column)} {MISSING}", rest, {"color": OTHER})
    return [(found.metric, there, look), *([gray] if rest else [])]


def _axis_x(column: Column) -> dict[str, Any]:
    title = bare_name(column)
    if _is_numeric(column):
        return {"title": title, "type": scale_of(column.values)}
    names = [plain(label) for label in ordered(column.values)]
    order = {"categoryorder": "array", "categoryarray": names}
    return {"title": title, "type": "category", **order}
