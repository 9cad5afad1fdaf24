"""The best value of a metric as the runs went on, by the date of each run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from nbtrack.analysis.charts.figure import OTHER, dressed
from nbtrack.analysis.charts.scored import Scored, scored
from nbtrack.analysis.media_view import plotly_graph_objects
from nbtrack.errors import OptionError
from nbtrack.records import is_better

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nbtrack.store import Store

_BEST = "#2e9d57"


def plot_trend(
    metric: str, query: str | None = None, *, store: Store | None = None
) -> go.Figure:
    """The best value so far over the dates of the runs, with a dot for each run.

    Parameters
    ----------
    metric : str
        One with a goal; of each run its best value.
    query : str, optional
        As in `nbtrack.runs`; default: all runs.
    store : Store, optional
        Default: the one of this folder.

    Returns
    -------
    plotly.graph_objects.Figure
        Dates are when runs began, in local time. A run that was the best when it ended
        is green. The title says how many runs were left out, and why.

    Raises
    ------
    RunNotFoundError, MetricNotFoundError, OptionError, QueryError
        When there are no runs, no such metric, or one without a goal.
    MissingExtraError
        Where plotly is not installed.

    Examples
    --------
    >>> import nbtrack
    >>> for loss in (0.5, 0.7, 0.4):
    ...     with nbtrack.start("base"):
    ...         nbtrack.log(loss=loss)
    >>> line, dots = nbtrack.plot_trend("loss").data
    >>> line.y, dots.y
    ((0.5, 0.5, 0.4), (0.5, 0.7, 0.4))
    """
    go = plotly_graph_objects()
    found = _by_date(scored(store, query, metric))
    so_far = _best_so_far(found)
    dates = [_local(started_at) for started_at in found.started_at]
    is_new = [at == 0 or so_far[at] != so_far[at - 1] for at in range(len(so_far))]
    figure = go.Figure()
    figure.add_scatter(
        x=dates, y=so_far, name="best so far", mode="lines",
        line={"shape": "hv", "color": _BEST}, hoverinfo="skip",
    )  # fmt: skip
    hovers = zip(dates, found.hovers(), strict=True)
    figure.add_scatter(
        x=dates, y=list(found.values), name="runs", mode="markers",
        marker={"size": 8, "color": [_BEST if new else OTHER for new in is_new]},
        hovertext=[f"{hover}<br>{date:%Y-%m-%d %H:%M}" for date, hover in hovers],
        hoverinfo="text",
    )  # fmt: skip
    title = found.title(f"{found.label} over time")
    x = {"title": "started (local time)", "type": "date"}
    return dressed(figure, title, x=x, y=found.axis, showlegend=False)


def _by_date(found: Scored) -> Scored:
    order = range(len(found.ids))
    return found.take(sorted(order, key=lambda at: found.started_at[at]))


def _best_so_far(found: Scored) -> list[float]:
    if found.goal is None:
        raise OptionError(
            f"{found.metric!r} has no goal, so that no run is the best: set one with "
            "run.set_goal(metric, 'min' or 'max')."
        )
    best: list[float] = []
    for value in found.values:
        is_first = not best or is_better(value, best[-1], found.goal)
        best.append(value if is_first else best[-1])
    return best


def _local(started_at: str) -> datetime:
    """Without its zone, which plotly would turn back."""
    return datetime.fromisoformat(started_at).astimezone().replace(tzinfo=None)
