"""A sweep in a real JupyterLab: launched, followed, stopped while busy; pictures."""

from __future__ import annotations

import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SETUP = """%load_ext nbtrack
import os
os.environ["NBTRACK_OFF"] = "code environment system"
depth = 2"""
CELL = """lr = 0.1
batch_size = 32
bias = True
for epoch in range(5):
    val_loss = (lr - 0.03) ** 2 + batch_size / 1e4 + 0.1 / depth / (epoch + 1)"""
SLOW = """%%sweep lr=log(1e-3, 1) bs=[16, 32] --n 500
import time
lr, bs = 0.1, 32
for epoch in range(4):
    loss = (lr - 0.03) ** 2 + bs / 1e4
    time.sleep(0.01)"""
HOSTILE = """%%sweep --sampler grid a=[1, 2, 3] opt=["<img src=x onerror='hurt=1'>"]
import nbtrack
a, opt = 1, "sgd"
nbtrack.log(loss=a)
if a == 3: raise ValueError("<img src=x onerror='window.hurt=1'>")"""


@pytest.fixture
def notebook(lab):
    book = lab.open([SETUP, f"%%track base\n{CELL}", f"%%sweep\n{CELL}", SLOW, ""])
    for n in range(3):
        book.run(n)
    lab.page.locator(".nbt-sweep .nbt-offers tbody tr").first.wait_for()
    return book


def theme(page, name):
    page.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})",
        f"JupyterLab {name}",
    )
    dark = "false" if name == "Dark" else "true"
    page.locator(f"body[data-jp-theme-light={dark}]").wait_for(state="attached")
    time.sleep(0.5)


def line(page):
    return page.locator(".nbt-sweep .nbt-line code").inner_text()


def test_a_cell_is_swept_from_its_form_and_a_trial_becomes_a_cell(notebook, lab):
    page = lab.page
    panel = page.locator(".nbt-sweep")
    assert panel.get_by_role("button", name="Start").is_disabled()
    values = panel.get_by_label("Values of lr")
    values.fill("log(1, 0.1)")
    panel.get_by_role("alert").get_by_text("is inverted").wait_for()
    notebook.screenshot("sweep-slip")
    values.fill("log(1e-3, 1)")
    panel.get_by_label("Sweep batch_size").check()
    panel.get_by_label("How many trials").fill("6")
    page.wait_for_function(
        "() => document.querySelector('.nbt-sweep .nbt-line code').textContent"
        " === '%%sweep lr=log(1e-3, 1) batch_size=[8, 16, 32, 64, 128]"
        " --n 6 --metric val_loss:min'"
    )
    assert panel.get_by_text("6 runs × ").is_visible()
    notebook.screenshot("sweep-form-light")

    panel.get_by_role("button", name="Start").click()
    panel.get_by_text("6 of 6 trials · finished").wait_for(timeout=90_000)
    assert panel.locator("tr[data-status=finished]").count() == 6
    assert panel.locator(".nbt-best-line").count() == 1
    panel.scroll_into_view_if_needed()
    notebook.screenshot("sweep-done-light")
    assert lab.problems == []
    panel.get_by_role("button", name="importance").click()
    page.locator(".js-plotly-plot").first.wait_for(timeout=30_000)
    page.locator(".js-plotly-plot").first.scroll_into_view_if_needed()
    time.sleep(1)
    notebook.screenshot("sweep-importance")
    panel.get_by_role("button", name="parallel coordinates").click()
    page.locator(".js-plotly-plot .parcoords").first.wait_for(timeout=30_000)
    code = panel.locator("code", has_text="nbtrack.brush(").inner_text()
    time.sleep(1)
    notebook.screenshot("sweep-parallel")
    theme(page, "Dark")
    notebook.screenshot("sweep-done-dark")
    theme(page, "Light")

    panel.get_by_label("as a tracked cell").first.click()
    panel.get_by_text("is a cell below; it was not run").wait_for()
    cells = notebook.save().cells
    assert cells[3].source.startswith("%%track -m val_loss:min\nlr = 0.0")
    assert cells[3].execution_count is None

    notebook.set_source(4, f"import nbtrack\n{code}")
    notebook.run(4)
    page.locator(".nbt-compare tbody tr[data-run]").first.wait_for(timeout=30_000)
    page.locator(".nbt-compare").scroll_into_view_if_needed()
    notebook.screenshot("sweep-brush")
    assert lab.problems == []


def test_stop_is_heard_while_trials_keep_the_kernel_busy(notebook, lab):
    page = lab.page
    notebook.start(3)
    panel = notebook.output(3).locator(".nbt-sweep")
    panel.locator("tr[data-status=finished]").nth(2).wait_for(timeout=60_000)
    panel.scroll_into_view_if_needed()
    notebook.screenshot("sweep-busy")
    panel.get_by_role("button", name="Pause").click()
    panel.get_by_text("· paused").wait_for()
    assert notebook.is_busy(3)
    panel.get_by_role("button", name="Go on").click()
    panel.get_by_text("· running").wait_for()
    panel.get_by_role("button", name="Stop").click()
    notebook.wait_done(3, timeout_s=20)
    notebook.output(3).get_by_text("· stopped").wait_for()
    assert panel.count() == 0
    notebook.screenshot("sweep-stopped")
    outputs = notebook.save().cells[3].outputs
    assert [set(one.data) for one in outputs] == [{"text/html", "text/plain"}]

    notebook.set_source(4, HOSTILE)
    notebook.run(4)
    notebook.set_source(4, "%panel sweep")
    notebook.run(4)
    notebook.output(4).locator(".nbt-sweep tr[data-status=failed]").wait_for()
    notebook.output(4).scroll_into_view_if_needed()
    notebook.screenshot("sweep-hostile")
    assert page.evaluate("() => window.hurt") is None
    assert lab.problems == []
