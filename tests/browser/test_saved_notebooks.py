"""A tutorial as a stranger opens it in JupyterLab: its pictures are there, at once."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from tutorials.pictures import SCALE, Painter, Picture
from tutorials.saved import PNG_BODY, with_png

from nbtrack.analysis.svg import HEIGHT, WIDTH, Line, as_picture, chart_svg

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DRAWN = """
() => [...document.querySelectorAll(".jp-OutputArea img")]
  .filter((img) => img.complete && img.naturalWidth > 0).length
"""
LOST = ("Error displaying widget", "model not found", "Traceback (most recent")


def n_pictures(path: Path) -> int:
    """PNGs of their own, and those within HTML."""
    n = 0
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            n += "image/png" in data
            n += data.get("text/html", "").count("data:image/png;base64,")
    return n


@pytest.fixture
def painter(chromium):
    context = chromium.new_context(device_scale_factor=SCALE)
    yield Painter(context.new_page())
    context.close()


def pixels(picture) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(picture.body))).size


def test_drawings_and_figures_are_saved_as_png_twice_as_sharp(painter):
    svg = chart_svg("loss", [Line("a", [0, 1], [2.0, 1.0], "#2f86c5")], x_label="step")
    html = as_picture(svg, "Curve of loss: a █▁")
    found = with_png(f"<div>{html}</div>", painter)
    assert found.startswith(f"<div><img width='{WIDTH}' alt='Curve of loss: a █▁' src=")
    [body] = PNG_BODY.findall(found)
    assert pixels(Picture(body, 0, 0)) == (SCALE * WIDTH, SCALE * HEIGHT)

    line = {"type": "scatter", "x": [0, 1], "y": [2.0, float("nan")]}
    figure = {"data": [line], "layout": {"height": 350}}
    picture = painter.plotly(figure)
    assert (picture.width, picture.height) == (700, 350)
    assert pixels(picture) == (1400, 700)


# What stands there: a panel, figures; a drawing with a map; a comparison, a brush.
@pytest.mark.parametrize(
    "name", ["01_first_run", "04_artifacts_and_models", "05_compare"]
)
def test_a_saved_tutorial_shows_its_pictures_before_anything_ran(lab, name):
    path = lab.folder / f"{name}.ipynb"
    shutil.copy(NOTEBOOKS / path.name, path)
    notebook = lab.open_file(path)
    n = n_pictures(path)
    lab.page.wait_for_function(f"() => ({DRAWN})() >= {n}", timeout=20_000)
    said = " ".join(lab.page.locator(".jp-OutputArea-output").all_inner_texts())
    notebook.screenshot(f"saved-{name}")
    assert n > 0
    assert [word for word in LOST if word in said] == []
    assert lab.problems == []
