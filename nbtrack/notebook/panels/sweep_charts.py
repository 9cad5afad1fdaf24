"""The charts of a sweep, for its panel: figures, the lines that draw them, outputs.

The page's own renderer of Plotly draws them, in an output under the panel: nothing of
Plotly is in our front end. With parallel coordinates comes the line that has them
filter the table of the runs: that takes widgets of its own, in a cell of its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from nbtrack.sweeps.sweep import Sweep

Chart = Literal["importances", "parallel", "contour", "slice"]
_PLOTLY = "application/vnd.plotly.v1+json"
Output = dict[str, Any]  # as nbformat has it


def chart_of(sweep: Sweep, kind: Chart) -> go.Figure:
    """One chart of a sweep.

    Raises
    ------
    OptionError, MissingExtraError
        As the function of that chart.
    """
    from nbtrack.analysis.charts.parallel import plot_parallel
    from nbtrack.sweeps.charts import plot_contour, plot_importances, plot_slice

    name, store = sweep.name, sweep.store
    if kind == "importances":
        return plot_importances(name, store=store)
    if kind == "contour":
        return plot_contour(name, store=store)
    if kind == "slice":
        return plot_slice(name, store=store)
    return plot_parallel(_query(sweep), metric=sweep.aim.metric, store=store)


def code_of(sweep: Sweep, kind: Chart) -> str:
    """The line that draws the same in a cell.

    >>> from types import SimpleNamespace
    >>> code_of(SimpleNamespace(name="sweep-1"), "contour")
    "nbtrack.plot_contour('sweep-1')"
    """
    if kind == "parallel":
        asked = f"query={_query(sweep)!r}"
        return f"display(panel := nbtrack.compare({asked})); nbtrack.brush(panel)"
    return f"nbtrack.plot_{kind}({sweep.name!r})"


def chart_outputs(sweep: Sweep, kind: Chart) -> tuple[Output, ...]:
    """What an output area shows.

    Raises
    ------
    OptionError, MissingExtraError
        As `chart_of`.
    """
    return (_shown(_of_figure(chart_of(sweep, kind))),)


def _query(sweep: Sweep) -> str:
    return f"tags.sweep == {sweep.name!r}"


def _of_figure(figure: go.Figure) -> dict[str, Any]:
    told = json.loads(figure.to_json())
    return {_PLOTLY: told, "text/plain": str(told["layout"]["title"]["text"])}


def _shown(bundle: dict[str, Any]) -> Output:
    return {"output_type": "display_data", "data": bundle, "metadata": {}}
