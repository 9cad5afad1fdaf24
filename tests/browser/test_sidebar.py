"""The side bar in a real JupyterLab: runs of yesterday, live runs, and their pages."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

RUNS = """\
import nbtrack, math
for n, lr in enumerate((0.3, 0.1, 0.03)):
    with nbtrack.start(f"base-{n}", params={"lr": lr, "bs": 32}, tags=["sweep"]) as run:
        for step in range(40):
            left = math.exp(-lr * step)
            nbtrack.log(loss=left + n / 50, val_acc=1 - left)
"""
TRACKED = """\
%%track mlp --no-live
lr = 0.05
for epoch in range(12):
    val_acc = 1 - 0.9 / (epoch + 1)
    loss = 2 / (epoch + 1)
"""
SHOW = "() => window.jupyterapp.shell.activateById('nbtrack-runs')"


def side(page):
    """The side bar, open."""
    page.evaluate(SHOW)
    bar = page.locator("#nbtrack-runs")
    bar.wait_for()
    return bar


def line(bar, name):
    return bar.locator(".nbt-run", has_text=name)


@pytest.fixture
def notebook(lab):
    notebook = lab.open(["%load_ext nbtrack", RUNS, TRACKED])
    notebook.run_all()
    return notebook


def test_runs_are_listed_under_their_notebook_and_cell(lab, notebook):
    bar = side(lab.page)
    line(bar, "mlp").wait_for()
    assert bar.locator(".nbt-run").count() == 4
    lab.page.wait_for_timeout(1000)
    notebook.screenshot("sidebar-light")
    line(bar, "base-1").hover()
    lab.page.locator(".nbt-card").wait_for()
    notebook.screenshot("sidebar-card")
    line(bar, "base-1").click()
    lab.page.locator(".nbt-page h1").wait_for()
    lab.page.wait_for_timeout(1000)
    notebook.screenshot("sidebar-page")
    lab.theme("Dark")
    notebook.screenshot("sidebar-dark")
    assert lab.problems == []


def test_notebook_7_has_it_too(lab, notebook):
    seven = lab.open_in_notebook_7(notebook.path)
    page = lab.page
    bar = side(page)
    line(bar, "mlp").wait_for()
    page.wait_for_timeout(500)
    line(bar, "mlp").click()
    page.locator(".nbt-page-curves canvas").first.wait_for()
    seven.screenshot("sidebar-notebook-7")
    assert lab.problems == []
