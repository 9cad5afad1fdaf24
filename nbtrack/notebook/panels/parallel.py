"""Parallel coordinates that filter a comparison: what is brushed is what it shows.

The chart is plotly's own widget; it holds no state of ours. Each brush becomes
`panel.set(runs=...)`, so that the panel's line and frame say the same. Clearing all
brushes gives back the runs that the panel had.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.charts.figure import titled
from nbtrack.analysis.charts.parallel import parallel_of
from nbtrack.analysis.charts.scored import scored_of
from nbtrack.errors import MissingExtraError, NbtrackError
from nbtrack.guard import guard
from nbtrack.notebook.panels.outlets import WIDGET_VIEW

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nbtrack.notebook.panels.compare import ComparePanel

FEATURE = "brush"
PLOTLY = "application/vnd.plotly.v1+json"


def brush(
    panel: ComparePanel,
    *,
    metric: str | None = None,
    columns: Sequence[str] | None = None,
) -> go.FigureWidget:
    """Parallel coordinates of a comparison; brushing an axis filters its table.

    A run is kept where it is inside a brushed range of every axis that has one. A drag
    along an axis brushes it, a click on the brush takes it away. Without one the panel
    shows the runs that it had when this was called.

    Parameters
    ----------
    panel : ComparePanel
        What `nbtrack.compare` or `%compare` gave.
    metric : str, optional
        Default: the metric of the panel's curves.
    columns : sequence of str, optional
        Params, metrics or fields; default: the params that differ.

    Returns
    -------
    plotly.graph_objects.FigureWidget
        Show it beside the panel. Ranges can be read and set in Python, too:
        `figure.data[0].dimensions[0].constraintrange = [0, 1]`. Runs without the metric
        are not in it, and any brush leaves them out.

    Raises
    ------
    MissingExtraError
        Where plotly or anywidget is not installed.
    RunNotFoundError, MetricNotFoundError, OptionError
        As `plot_parallel`.

    Examples
    --------
    >>> import nbtrack
    >>> for lr in (0.1, 0.2, 0.3):
    ...     with nbtrack.start("base", params={"lr": lr}):
    ...         nbtrack.log(loss=lr)
    >>> panel = nbtrack.compare(sort="lr")
    >>> figure = nbtrack.brush(panel)
    >>> figure.data[0].dimensions[0].constraintrange = [0.15, 0.4]
    >>> panel.df["params.lr"].tolist()
    [0.2, 0.3]
    """
    widget = _widget_class()
    found = scored_of(panel.found, metric or panel.found.metric())
    figure = widget(parallel_of(found, columns))
    figure.data[0].on_change(_Link(panel, figure), "dimensions")
    return figure


class _Link:
    """From the brushes of a figure to the runs of a panel."""

    def __init__(self, panel: ComparePanel, figure: Any) -> None:
        self._panel = panel
        self._figure = figure
        self._before = (panel.state.runs, panel.state.last)
        self._selected = panel.state.selected  # what is brushed away loses its curve
        self._title = figure.layout.title.text

    def __call__(self, trace: Any, dimensions: Sequence[Any]) -> None:
        with guard(FEATURE):
            (runs, last), drawn = self._before, self._selected
            if any(dimension.constraintrange for dimension in dimensions):
                runs = drawn = tuple(_inside(trace.ids, dimensions))
                # No runs would mean all of them.
                last = None if runs else 0
            there = self._panel.found.glance.runs.intersection(drawn)
            selected = tuple(run for run in self._selected if run in there)
            title = self._title
            try:
                self._panel.set(runs=runs, last=last, selected=selected)
            except NbtrackError as exc:  # its query is another now, a run is in trash
                title = titled("not filtered", str(exc))
            if self._figure.layout.title.text != title:
                self._figure.layout.title.text = title


def _inside(ids: Sequence[str], dimensions: Sequence[Any]) -> Iterator[str]:
    asked = [
        (dimension.values, list(_ranges(dimension.constraintrange)))
        for dimension in dimensions
        if dimension.constraintrange
    ]
    for at, run in enumerate(ids):
        if all(
            any(low <= places[at] <= high for low, high in ranges)
            for places, ranges in asked
        ):
            yield str(run)


def _ranges(told: Sequence[Any]) -> Iterator[tuple[float, float]]:
    """One range, or several of them, as plotly has both."""
    if isinstance(told[0], int | float):
        told = [told]
    for low, high in told:
        yield min(low, high), max(low, high)


@functools.cache
def _widget_class() -> Any:
    try:
        # Plotly's own class says only when it is made that this is not there.
        import anywidget  # noqa: F401
        import ipywidgets  # noqa: F401
        import traitlets
        from plotly.graph_objects import FigureWidget
    except ImportError as exc:
        raise MissingExtraError(
            "Brushing needs plotly: `pip install 'nbtrack[lab]'`."
        ) from exc

    class BrushedFigure(FigureWidget):  # type: ignore[misc]  # untyped base
        """Plotly's own sends what it draws only after the page has been told of it.

        A page that is slow in between draws an empty figure, for good: seen on a
        loaded machine.
        """

        def __init__(self, figure: go.Figure) -> None:
            self._at_first = figure.to_dict()
            super().__init__(figure)

        @traitlets.default("_widget_data")
        def _data_at_first(self) -> Any:
            return self._at_first["data"]

        @traitlets.default("_widget_layout")
        def _layout_at_first(self) -> Any:
            return self._at_first["layout"]

        def _repr_mimebundle_(self, *args: Any, **options: Any) -> Any:
            return _with_figure(self, super()._repr_mimebundle_(*args, **options))

    return BrushedFigure


def _with_figure(figure: go.Figure, shown: Any) -> Any:
    """Beside the widget, the figure: for who opens the saved notebook without it."""
    bundle = shown[0] if isinstance(shown, tuple) else shown
    if WIDGET_VIEW not in (bundle or {}):
        return shown
    with guard(FEATURE):
        bundle[PLOTLY] = json.loads(figure.to_json())
        bundle["text/plain"] = f"parallel coordinates of {len(figure.data[0].ids)} runs"
    return shown
