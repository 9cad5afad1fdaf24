"""How every chart with plotly looks, and how its texts stay text.

A figure cannot learn which theme the page has, so its ground is transparent and its ink
a gray that can be read on white and on black. All of it is a template: whoever wants
another look says `figure.update_layout(template="plotly_white")`.
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from nbtrack.analysis.svg import PALETTE
from nbtrack.text import shorten, visible

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Blue to yellow, as Viridis without its ends, which one of the two grounds swallows.
SCALE = ("#5468c9", "#2a8fa8", "#3fae7a", "#c4ac2e")
OTHER = "#9aa0a6"  # what is missing, or not the point
RULE = {"color": "rgba(128,128,128,0.6)", "width": 1}
_INK, _GRID, _CLEAR = "#7c7c7c", "rgba(128,128,128,0.25)", "rgba(0,0,0,0)"
_LABEL_MAX, _TITLE_MAX = 60, 140
_LINE_MAX = 95  # characters below a title, which plotly does not wrap
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})


def dressed(
    figure: go.Figure,
    title: str,
    *,
    x: dict[str, Any] | None = None,  # Any: what plotly takes
    y: dict[str, Any] | None = None,
    **layout: Any,
) -> go.Figure:
    """The figure with a title, its axes set up, and the look of all our charts.

    Parameters
    ----------
    title
        Goes through `plain` or `titled` before: it may have markup of ours.
    x, y
        Of the axes, as plotly has them; their `title` goes through `plain` here.

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> figure = dressed(go.Figure(), "loss", x={"title": "<lr>", "type": "log"})
    >>> figure.layout.xaxis.title.text, figure.layout.xaxis.type
    ('&lt;lr&gt;', 'log')
    """
    figure.update_xaxes(**_axis(x or {}))
    figure.update_yaxes(**_axis(y or {}))
    return figure.update_layout(title=title, template=_template(), **layout)


def titled(what: str, *notes: str) -> str:
    """A title with notes below it, in smaller letters.

    Plotly's own subtitle is drawn above the title wherever a figure is made before it
    is on the page, as JupyterLab does with widgets.

    >>> titled("loss", "left out: 2")
    "loss<br><span style='font-size:12px'>left out: 2</span>"
    """
    what = in_full(shorten(what, _TITLE_MAX))
    if not notes:
        return what
    lines = wrap(" · ".join(notes), _LINE_MAX)
    below = "<br>".join(map(in_full, lines))
    return f"{what}<br><span style='font-size:12px'>{below}</span>"


def plain(text: object) -> str:
    """Text as plotly shows it letter by letter: no tags, links or formulas.

    >>> plain("<b>$x$</b>")
    '&lt;b&gt;&#36;x&#36;&lt;/b&gt;'
    """
    return shorten(visible(str(text)), _LABEL_MAX).translate(_ENTITIES)


def in_full(text: str) -> str:
    """As `plain`, for a text that may be longer than a label.

    >>> len(in_full("a" * 100)), in_full("<b>")
    (100, '&lt;b&gt;')
    """
    return visible(text).translate(_ENTITIES)


def _axis(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "title": plain(told["title"])} if "title" in told else told


def _template() -> dict[str, Any]:
    axis: dict[str, Any] = {
        "gridcolor": _GRID,
        "zerolinecolor": _GRID,
        "linecolor": _GRID,
    }
    axis |= {"automargin": True, "title": {"standoff": 12}}
    return {
        "layout": {
            "paper_bgcolor": _CLEAR,
            "plot_bgcolor": _CLEAR,
            "font": {"color": _INK},
            "colorway": PALETTE,
            "xaxis": axis,
            "yaxis": axis,
            "modebar": {"bgcolor": _CLEAR, "color": OTHER, "activecolor": _INK},
            "margin": {"t": 70, "b": 50},
            "title": {"y": 1, "yanchor": "top", "pad": {"t": 16}},
        }
    }
