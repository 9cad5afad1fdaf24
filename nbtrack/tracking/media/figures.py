"""Figures: matplotlib's as a PNG, plotly's as the data that they are made of.

A matplotlib figure is drawn in the call: it may change a moment later, and no other
thread may draw it. Nothing here fetches anything, plotly.js least of all.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from io import BytesIO
from typing import Any

from nbtrack.tracking.media.clearing import cleared
from nbtrack.tracking.media.content import Content, Snapshot, kind_of, refusal

PLOTLY = "application/vnd.plotly.v1+json"
PIXELS_MAX = 4000  # the longer side of a drawn figure
FIGURE_BYTES_MAX = 32 * 2**20  # of a plotly figure's data


def snapshot_of(figure: Any) -> Snapshot:  # Any: of one library or the other
    """A figure as it looks now.

    Raises
    ------
    ValueNotLoggedError
        For what is no figure of matplotlib or plotly.
    """
    if _is_plotly(figure):
        return Snapshot(partial(plotly_content, figure.to_dict()))
    drawn = _matplotlib_figure(figure)
    if drawn is None:
        raise refusal(
            f"{kind_of(figure)} is no figure of matplotlib or plotly",
            "Write it to a PNG file and use log_image, or to HTML and use log_html",
        )
    body = _drawn(drawn)
    content = Content("figure", body=body, mime="image/png")
    return Snapshot(lambda: content, len(body))


def is_matplotlib(value: Any) -> bool:
    """Whether this is a figure, or something that has one."""
    return _matplotlib_figure(value) is not None


def plotly_content(figure: dict[str, Any]) -> Content:
    """A plotly figure as it is kept: its data and layout, without secrets.

    Raises
    ------
    ValueNotLoggedError
        When that is too much.
    """
    text = _as_text({key: figure[key] for key in figure if key != "config"})
    if len(text) > FIGURE_BYTES_MAX:
        raise refusal(
            f"its data has {len(text) / 2**20:.0f} MiB",
            "Draw fewer points, or keep a picture of it: run.log_image",
        )
    clear = json.dumps(cleared(json.loads(text)))
    return Content("figure", body=clear.encode(), mime=PLOTLY)


def _as_text(figure: dict[str, Any]) -> str:
    """JSON by plotly's own rules, which know arrays, dates and missing values."""
    if "plotly" not in sys.modules:  # data that plotly wrote: plain already
        return json.dumps(figure)
    from plotly.io.json import to_json_plotly

    text: str = to_json_plotly(figure)
    return text


def _is_plotly(value: Any) -> bool:
    module = sys.modules.get("plotly.basedatatypes")
    return module is not None and isinstance(value, module.BaseFigure)


def _matplotlib_figure(value: Any) -> Any:
    """The figure itself, also where pyplot, axes or a grid of seaborn were given."""
    module = sys.modules.get("matplotlib.figure")
    if module is None:
        return None
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if value is pyplot:
        return pyplot.gcf()
    for found in (value, getattr(value, "figure", None)):
        if isinstance(found, module.FigureBase):
            return getattr(found, "figure", found) or found
    return None


def _drawn(figure: Any) -> bytes:
    side = max(figure.get_size_inches()) * figure.dpi
    dpi = figure.dpi * min(1.0, PIXELS_MAX / max(side, 1.0))
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=dpi)
    return picture.getvalue()
