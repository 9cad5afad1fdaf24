"""In JupyterLab the cells of a slice are put back as cells, and the grade is shown."""

from __future__ import annotations

import os
import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

EVIL = '<img src=x onerror="window.hurt=1">'
CELLS = [
    "%load_ext nbtrack\n"
    "import nbtrack.notebook.cell_insertion as insertion\n"
    "insertion.ANSWER_S = 20",  # a busy machine
    f"x = 2  # {EVIL}",
    "unused = 3",
    "%%track base\nfor i in range(5):\n    loss = x / (i + 1)",
    "%restore base",
    "last = 1",
]
SOURCES = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .map(one => one.model.sharedModel.getSource())"""
COUNTS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .map(one => one.model.executionCount)"""


@pytest.fixture
def trained(lab):
    """A notebook whose run needs one of the two cells before it."""
    notebook = lab.open(CELLS)
    for n in range(4):
        notebook.run(n)
    return notebook


def test_the_cells_of_a_run_are_put_below_and_not_run(lab, trained):
    said = trained.run(4)
    assert "2 cells of run base put below" in said
    assert "as one cell" not in said
    sources = lab.page.evaluate(SOURCES)
    assert sources[5:] == [
        f"# [2] of run base: sets x, which [4] reads\n{CELLS[1]}",
        f"# [4] of run base: the tracked cell\n{CELLS[3]}",
        "last = 1",
    ]
    assert lab.page.evaluate(COUNTS)[5:] == [None, None, None]
    assert lab.page.evaluate("() => window.hurt") is None
    trained.screenshot("restore")
    assert lab.problems == []


def test_one_undo_takes_the_cells_back(lab, trained):
    trained.run(4)
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("z")
    assert lab.page.evaluate(SOURCES)[5:] == ["last = 1"]


def test_the_grade_of_a_run_stands_in_its_panel(lab, trained):
    assert "grade A" in trained.text(3)
    trained.set_source(1, "x = 5")
    trained.run(1)
    trained.set_source(1, "x = 6")
    trained.save()
    later = time.time() + 60  # as if the save had come a minute after the cell
    os.utime(trained.path, (later, later))
    trained.run(3)
    trained.screenshot("grade", n=3)
    badge = trained.cell(3).locator("span[title]", has_text="grade C")
    assert "`x` comes from a cell that was edited since" in (
        badge.first.get_attribute("title")
    )
    assert "grade C: `x` comes from a cell that was edited since" in trained.text(3)


def test_a_slice_is_shown_as_a_page_of_texts(lab, trained):
    trained.set_source(5, "%slice base")
    shown = trained.run(5)
    assert "2 of 4 cells made run base" in shown
    assert EVIL in shown
    assert lab.page.evaluate("() => window.hurt") is None
    trained.screenshot("slice", n=5)
    assert lab.problems == []
