"""The spread of a metric in each group of runs, with every run as a dot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbtrack.analysis.charts.axes import labels_of, ordered
from nbtrack.analysis.charts.figure import dressed, plain
from nbtrack.analysis.charts.scored import scored
from nbtrack.analysis.media_view import plotly_graph_objects
from nbtrack.errors import OptionError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nbtrack.store import Store

GROUPS_MAX = 60  # boxes in one figure


def plot_box(
    metric: str,
    by: str = "group",
    query: str | None = None,
    *,
    store: Store | None = None,
) -> go.Figure:
    """A box for each group of runs, with all of its runs as dots.

    Parameters
    ----------
    metric : str
        Its best value by its goal, the last one where it has none.
    by : str
        "group", or a param or another field. Runs without one are a group, "missing".
    query : str, optional
        As in `nbtrack.runs`; default: all runs.
    store : Store, optional
        Default: the one of this folder.

    Returns
    -------
    plotly.graph_objects.Figure
        Its title says how many runs were left out, and why.

    Raises
    ------
    RunNotFoundError, MetricNotFoundError, OptionError, QueryError
        When there are no runs, no such metric or column, or more than 60 groups.
    MissingExtraError
        Where plotly is not installed.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01, 0.01):
    ...     with nbtrack.start("base", params={"lr": lr}):
    ...         nbtrack.log(loss=lr)
    >>> [box.name for box in nbtrack.plot_box("loss", by="lr").data]
    ['0.01 (n=2)', '0.1 (n=1)']
    """
    go = plotly_graph_objects()
    found = scored(store, query, metric)
    values = found.column(by).values
    labels, names = labels_of(values), ordered(values)
    if len(names) > GROUPS_MAX:
        raise OptionError(
            f"{by!r} has {len(names)} values; up to {GROUPS_MAX} boxes can be told "
            "apart. Use nbtrack.plot_scatter."
        )
    hovers = found.hovers()
    figure = go.Figure()
    for name in names:
        places = [at for at, label in enumerate(labels) if label == name]
        figure.add_box(
            y=[found.values[at] for at in places],
            name=plain(f"{name} (n={len(places)})"),
            boxpoints="all", jitter=0.4, pointpos=0, marker={"size": 6},
            hovertext=[hovers[at] for at in places], hoverinfo="text", hoveron="points",
        )  # fmt: skip
    title = found.title(f"{found.label} by {by}")
    x = {"title": by, "type": "category"}
    return dressed(figure, title, x=x, y=found.axis, showlegend=False)
