"""The live panel in a real JupyterLab: it moves, it stops, it stays as a picture."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import nbformat
import pytest
from panel_runs import FIRST, end_run, log_curve, start_run

from nbtrack.analysis.static_panel import static_panel
from nbtrack.store import Store

pytestmark = pytest.mark.browser

TRAIN = """%%track base
import math, random, time
lr, n_epochs = {lr}, 10
for epoch in range(n_epochs):
    for batch in range(50):
        k = 50 * epoch + batch
        train_loss = 2.3 * math.exp(-k * lr) + 0.1 * random.random()
        time.sleep({pause})
    val_loss = 2.3 * math.exp(-k * lr) + 0.1
    val_acc = 1 - 0.9 * math.exp(-(epoch + 1) / 3)
"""
EVIL = """%%track
import time, nbtrack
evil = "<img src=x onerror=window.nbtHit=1><script>window.nbtHit=1</script>"
run = nbtrack.current()
run.tag(evil); run.note(evil)
for epoch in range(30):
    run.log({evil: epoch, "val_" + evil: 1.0})
    time.sleep(0.1)
raise ValueError(evil)
"""
POINTS = ".nbt-table tbody tr:first-child td:nth-child(8)"
# Pixels of the first chart that are painted at all: a curve that moves changes it.
INK = """() => {
  const canvas = document.querySelector('.nbt-plot canvas');
  const {width, height} = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i += 4)
    sum = (sum * 31 + data[i] + data[i + 1] + data[i + 3]) % 1000000007;
  return sum;
}"""


def _wait_panel(notebook) -> None:
    notebook.page.locator(".nbt-panel .nbt-plot canvas").first.wait_for(timeout=20_000)


def test_the_curve_moves_while_the_cell_is_busy(lab):
    cells = ["%load_ext nbtrack", TRAIN.format(lr=0.006, pause=0.001)]
    notebook = lab.open([*cells, TRAIN.format(lr=0.012, pause=0.02)])
    notebook.run(0)
    notebook.run(1)
    notebook.start(2)
    _wait_panel(notebook)

    before = notebook.page.evaluate(INK)
    time.sleep(2)
    after = notebook.page.evaluate(INK)

    assert notebook.is_busy(2)
    assert before != after
    notebook.page.locator(".nbt-panel").scroll_into_view_if_needed()
    notebook.screenshot("panel-live-light")
    lab.theme("Dark")
    notebook.screenshot("panel-live-dark")
    notebook.wait_done(2)
    notebook.screenshot("panel-static-dark")
    lab.theme("Light")
    notebook.screenshot("panel-static-light")
    assert notebook.output(2).locator("img[alt*='Curve']").count() == 2
    assert lab.problems == []


def test_stop_in_a_busy_cell_leaves_a_stopped_run(lab):
    notebook = lab.open(["%load_ext nbtrack", TRAIN.format(lr=0.01, pause=0.05)])
    notebook.run(0)
    notebook.start(1)
    _wait_panel(notebook)

    pressed_at = time.monotonic()
    notebook.page.locator(".nbt-stop").click()
    notebook.wait_done(1)
    took_s = time.monotonic() - pressed_at

    assert took_s < 3
    assert "stopped" in notebook.text(1)
    notebook.screenshot("panel-stopped")


def test_a_second_view_shows_all_the_points(lab):
    notebook = lab.open(["%load_ext nbtrack", TRAIN.format(lr=0.01, pause=0.02)])
    notebook.run(0)
    notebook.start(1)
    _wait_panel(notebook)
    time.sleep(1)

    notebook.page.evaluate(
        "() => jupyterapp.commands.execute('notebook:create-output-view')"
    )
    second = notebook.page.locator(".jp-LinkedOutputView .nbt-panel")
    second.locator(".nbt-plot canvas").first.wait_for(timeout=5_000)
    counts = [
        int(notebook.page.locator(f"{home} {POINTS}").inner_text())
        for home in (".jp-Cell .nbt-panel", ".jp-LinkedOutputView .nbt-panel")
    ]

    assert abs(counts[0] - counts[1]) <= 20
    assert counts[1] > 40


def test_hostile_texts_of_a_run_stay_text(lab):
    asked: list[str] = []
    lab.page.on("request", lambda request: asked.append(request.url))
    notebook = lab.open(["%load_ext nbtrack", EVIL])
    notebook.run(0)
    notebook.start(1)
    _wait_panel(notebook)
    notebook.screenshot("panel-hostile")
    notebook.wait_done(1)
    time.sleep(0.5)
    notebook.screenshot("panel-hostile-static")

    assert notebook.page.evaluate("() => window.nbtHit") is None
    outside = [
        url for url in asked if urlsplit(url).hostname not in (None, "127.0.0.1")
    ]
    assert outside == []


def test_the_picture_shows_in_a_notebook_that_is_not_trusted(lab, tmp_path):
    with Store.open(tmp_path) as store:
        start_run(store)
        log_curve(store, [2.0, 1.0, 0.5])
        end_run(store)
        bundle = static_panel(store, FIRST)
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    output = nbformat.v4.new_output("display_data", bundle)
    book.cells = [nbformat.v4.new_code_cell("1", outputs=[output], execution_count=1)]
    nbformat.write(book, lab.folder / "theirs.ipynb")

    notebook = lab.open_file(lab.folder / "theirs.ipynb")

    picture = notebook.output(0).locator("img")
    picture.wait_for()
    is_trusted = "() => jupyterapp.shell.currentWidget.content.widgets[0].model.trusted"
    assert notebook.page.evaluate(is_trusted) is False
    assert picture.evaluate("image => image.naturalWidth") > 0
    notebook.screenshot("panel-untrusted")


LONG = """%%track
import time, nbtrack
name = "a_name_that_is_much_longer_than_a_narrow_window_has_room_for_of_a_val_loss"
for step in range(60):
    nbtrack.log({name: 1 / (step + 1)})
    time.sleep(0.05)
"""


def test_a_long_name_leaves_its_best_value_in_view(lab):
    lab.page.set_viewport_size({"width": 800, "height": 700})
    notebook = lab.open(["%load_ext nbtrack", LONG])
    notebook.run(0)
    notebook.start(1)
    best = lab.page.locator(".nbt-panel .nbt-best")
    best.locator("b").wait_for()
    assert best.evaluate("line => line.scrollWidth <= line.clientWidth")
    notebook.wait_done(1)
    still = notebook.output(1).locator("div[style='overflow-wrap:anywhere']")
    still.wait_for()
    assert "0.01667" in still.inner_text()
    assert still.evaluate("line => line.scrollWidth <= line.clientWidth")
