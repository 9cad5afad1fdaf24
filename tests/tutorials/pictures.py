"""Pictures that every reader of a notebook shows: drawings and figures as PNG.

Code hosts drop the address of an SVG within HTML, and what needs a script shows nothing
there. A Chromium draws both, at twice the size for sharp screens.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab_server import running_chromium
from PIL import Image
from playwright.sync_api import Page
from plotly.offline import get_plotlyjs

SCALE = 2
COLOURS = 128  # of a palette: a third of the bytes, and no difference to be seen
FIGURE = (700, 400)  # px, where a figure names no size of its own
DRAW = """
async ([figure, width, height]) => {
  const place = document.getElementById("place");
  const layout = {...figure.layout, width, height};
  await Plotly.newPlot(place, figure.data, layout, {staticPlot: true});
}
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG as base64, and the size in px that it is meant to be seen at."""

    body: str
    width: int
    height: int


class Painter:
    """Draws in one page of one Chromium."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def svg(self, body: str) -> Picture:
        """A drawing, on nothing, so that a dark page shines through."""
        address = f"data:image/svg+xml;base64,{body}"
        self._page.set_content(f"<img id='place' src='{address}'>")
        return self._taken()

    def plotly(self, figure: dict[str, Any]) -> Picture:
        """A figure of Plotly's as it looks before anybody touches it."""
        layout = figure.get("layout", {})
        width = layout.get("width") or FIGURE[0]
        height = layout.get("height") or FIGURE[1]
        size = f"width:{width}px;height:{height}px"
        self._page.set_content(f"<!doctype html><div id='place' style='{size}'></div>")
        self._page.add_script_tag(content=get_plotlyjs())
        # Nodes of nbformat become the plain values that the page takes.
        plain = json.loads(json.dumps(figure))
        self._page.evaluate(DRAW, [plain, width, height])
        return self._taken()

    def _taken(self) -> Picture:
        place = self._page.locator("#place")
        box = place.bounding_box()
        assert box is not None
        shot = place.screenshot(omit_background=True)
        size = round(box["width"]), round(box["height"])
        return Picture(base64.b64encode(smaller(shot)).decode(), *size)


def smaller(png: bytes) -> bytes:
    """The same picture with a palette."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    few = image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
    written = io.BytesIO()
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


@contextmanager
def painting() -> Iterator[Painter]:
    """A painter, for as long as its Chromium runs."""
    with running_chromium() as browser:
        context = browser.new_context(
            device_scale_factor=SCALE, viewport={"width": 1200, "height": 900}
        )
        yield Painter(context.new_page())
