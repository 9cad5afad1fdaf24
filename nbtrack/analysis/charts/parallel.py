"""Parallel coordinates: a line a run through its params, to its value of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.charts.axes import MISSING, Axis, axis_of
from nbtrack.analysis.charts.figure import RULE, SCALE, dressed, plain
from nbtrack.analysis.charts.scored import Scored, bare_name, runs_of, scored
from nbtrack.analysis.comparing.columns import Column
from nbtrack.analysis.media_view import plotly_graph_objects
from nbtrack.errors import OptionError
from nbtrack.text import shorten

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nbtrack.records import Goal
    from nbtrack.store import Store

AXES_MAX = 16  # beside the metric; more cannot be read
_LEVEL_AXES = 6  # names of more would run into one another
_NAME_MAX = 26  # characters
_TICK_MAX = 22


def plot_parallel(
    query: str | None = None,
    *,
    metric: str | None = None,
    columns: Sequence[str] | None = None,
    store: Store | None = None,
) -> go.Figure:
    """Parallel coordinates: params that differ, and the best value of a metric.

    Lines are coloured by the metric, the best ones blue. Numbers over more than two
    decades are on a log axis. A missing value has a place of its own, below the others.

    Parameters
    ----------
    query : str, optional
        As in `nbtrack.runs`; default: all runs.
    metric : str, optional
        Default: the one that judges, validation before training and loss first.
    columns : sequence of str, optional
        Params, metrics or fields, in their order; default: the params that differ.
    store : Store, optional
        Default: the one of this folder.

    Returns
    -------
    plotly.graph_objects.Figure
        Its title says how many runs were left out because they lack the metric, or
        because it is NaN. The `ids` of its trace are those of the runs.

    Raises
    ------
    RunNotFoundError, MetricNotFoundError, OptionError, QueryError
        When there are no runs, no such metric or column, or no param differs.
    MissingExtraError
        Where plotly is not installed.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.01):
    ...     with nbtrack.start("base", params={"lr": lr, "layers": 3}):
    ...         nbtrack.log(loss=lr)
    >>> [axis.label for axis in nbtrack.plot_parallel().data[0].dimensions]
    ['lr', 'best loss (min)']
    """
    return parallel_of(scored(store, query, metric), columns)


def parallel_of(found: Scored, columns: Sequence[str] | None = None) -> go.Figure:
    """The same of runs that are read already."""
    go = plotly_graph_objects()
    found = _best_in_front(found)
    shown = _columns(found, columns)
    score = axis_of(Column("score", "metric", found.values))
    axes = [(_axis_name(column), axis_of(column)) for column in shown[:AXES_MAX]]
    axes.append((found.label, score))
    dimensions = [_dimension(name, axis) for name, axis in axes]
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line=colours(score, found.label, found.goal),
            ids=found.ids,
            labelangle=-20 if len(axes) > _LEVEL_AXES else 0,
            # The shadow that plotly gives these texts is white on a clear ground.
            tickfont={"shadow": "none", "size": 11},
        )
    )
    title = found.title(found.label, *_notes(shown))
    # The names of axes stand between the title and the lines.
    margin = {"b": 30, "t": 116, "l": _left(dimensions[0]), "r": 40}
    return dressed(figure, title, margin=margin, shapes=_rules(len(axes)))


def colours(axis: Axis, label: str, goal: Goal | None) -> dict[str, Any]:
    """How plotly colours by the values of an axis: the best ones blue."""
    bar: dict[str, Any] = {"title": {"text": plain(label), "side": "right"}}
    bar["tickformat"] = ".4~g"
    named = [(place, text) for place, text in axis.ticks if text]
    if named:
        bar |= {"tickvals": [place for place, _ in named]}
        bar |= {"ticktext": [plain(text) for _, text in named]}
    return {
        "color": list(axis.places),
        "colorscale": list(SCALE),
        "reversescale": goal == "max",
        "showscale": True,
        "colorbar": bar,
    }


def _rules(n: int) -> list[dict[str, Any]]:
    """A line under each axis: plotly's own is black, and not seen on a dark page."""
    places = [at / (n - 1) for at in range(n)]
    own = {"type": "line", "xref": "paper", "yref": "paper", "y0": 0, "y1": 1}
    return [{**own, "x0": x, "x1": x, "line": RULE} for x in places]


def _best_in_front(found: Scored) -> Scored:
    """Runs from the worst to the best: what comes last is drawn on top."""
    sign = -1.0 if found.goal == "min" else 1.0
    order = sorted(range(len(found.ids)), key=lambda at: sign * found.values[at])
    return found.take(order)


def _columns(found: Scored, names: Sequence[str] | None) -> list[Column]:
    if names is not None:
        chosen = [found.column(name) for name in names]
        if not chosen:
            raise OptionError("columns=[] is empty: name params, or leave it out.")
        return chosen
    if not found.differing:
        raise OptionError(
            f"The params of {runs_of(len(found.ids))} are all the same: name some with "
            "columns=[...], or take more runs."
        )
    return found.differing


def _notes(shown: Sequence[Column]) -> list[str]:
    """What the axes do not say by themselves."""
    counts = {bare_name(c): list(c.values).count(None) for c in shown[:AXES_MAX]}
    lacking = [f"{name} ({n})" for name, n in counts.items() if n]
    notes = [f"{MISSING}: {', '.join(lacking)}"] if lacking else []
    if len(shown) > AXES_MAX:
        notes.append(f"{AXES_MAX} of {len(shown)} params; name others with columns=")
    return notes


def _axis_name(column: Column) -> str:
    return f"best {bare_name(column)}" if column.steps else bare_name(column)


def _dimension(name: str, axis: Axis) -> dict[str, Any]:
    label = shorten(name, _NAME_MAX) + (" (log)" if axis.is_log else "")
    told: dict[str, Any] = {"label": plain(label), "values": list(axis.places)}
    if not axis.ticks:
        return {**told, "tickformat": ".4~g"}
    told["tickvals"] = [place for place, _ in axis.ticks]
    return {**told, "ticktext": _tick_texts(axis)}


def _tick_texts(axis: Axis) -> list[str]:
    """Texts that all differ, since plotly takes two ticks of one text for one.

    These ticks are the one place where plotly reads no markup, and shows entities as
    they are written: nothing is escaped here.
    """
    found: dict[str, None] = {}
    for at, (_, text) in enumerate(axis.ticks, 1):
        shown = shorten(text, _TICK_MAX)
        found[" " * at if not text or shown in found else shown] = None
    return list(found)


def _left(dimension: dict[str, Any]) -> int:
    """Pixels that the texts of the first axis need."""
    longest = max(map(len, dimension.get("ticktext", [" " * 10])))
    return 40 + 7 * min(longest, _TICK_MAX)
