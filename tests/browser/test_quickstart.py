"""The quickstart as a person meets it: in JupyterLab, with its curve moving.

The bundled digits and a number of epochs that lasts long enough to look at.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_first_run.ipynb"
TABLE_COLUMNS = ("name", "status", "val_acc")
STOP_MAX_S = 6.0  # 5 s is when a loop that never logs would be interrupted


class Quickstart:
    """The open notebook, with its cells by the names that they have in the file."""

    def __init__(self, lab, n_epochs: int) -> None:
        book = nbformat.read(QUICKSTART, as_version=4)
        nowhere = lab.folder / "no-mnist"
        nowhere.mkdir()
        settings = f"%env NBTRACK_DATA={nowhere}\n%env NBTRACK_EPOCHS={n_epochs}"
        book.cells.insert(0, nbformat.v4.new_code_cell(settings, id="settings"))
        self.folder = lab.folder
        self.index = {cell.id: n for n, cell in enumerate(book.cells)}
        path = lab.folder / QUICKSTART.name
        nbformat.write(book, path)
        self.notebook = lab.open_file(path)
        for name in ("settings", "load", "data", "params"):
            self.notebook.run(self.index[name])

    @property
    def base(self) -> int:
        return self.index["base"]

    @property
    def panel(self):
        return self.notebook.cell(self.base).locator(".nbt-panel")

    def start(self) -> None:
        self.notebook.start(self.base)
        self.panel.locator("canvas").first.wait_for(timeout=15_000)

    def runs(self):
        store = Store.open(self.folder, create=False)
        try:
            return store.runs()
        finally:
            store.close()


def test_the_curve_moves_while_the_cell_is_busy_and_a_picture_stays(lab):
    quickstart = Quickstart(lab, n_epochs=200)  # ten seconds on an idle machine
    notebook = quickstart.notebook
    quickstart.start()
    chart = quickstart.panel.locator("canvas").first
    quickstart.panel.locator("tr", has_text="val_acc").wait_for(timeout=30_000)
    text, early = quickstart.panel.inner_text(), chart.screenshot()
    notebook.page.wait_for_timeout(1500)
    moved = quickstart.panel.inner_text() != text and chart.screenshot() != early
    notebook.screenshot("quickstart-live")
    notebook.screenshot("quickstart-live-cell", n=quickstart.base)
    assert notebook.is_busy(quickstart.base)
    assert moved

    notebook.wait_done(quickstart.base, timeout_s=120)
    quickstart.panel.wait_for(state="detached", timeout=15_000)
    notebook.screenshot("quickstart-finished-cell", n=quickstart.base)
    assert notebook.output(quickstart.base).locator("svg").count() >= 1
    assert "val_acc" in notebook.text(quickstart.base)
    [run] = quickstart.runs()
    assert (run.status, run.params["n_epochs"].value) == ("finished", 200)
    assert lab.problems == []


def test_stop_ends_the_second_run_and_the_table_says_so(lab):
    quickstart = Quickstart(lab, n_epochs=20)
    notebook = quickstart.notebook
    notebook.run(quickstart.base, timeout_s=90)
    notebook.set_source(
        quickstart.index["params"], "lr, batch_size = 0.01, 32\nn_epochs = 5000"
    )
    notebook.run(quickstart.index["params"])

    quickstart.start()
    row = quickstart.panel.locator("tr", has_text="val_acc")
    row.wait_for(timeout=30_000)  # an epoch is over
    notebook.screenshot("quickstart-second-run", n=quickstart.base)
    quickstart.panel.get_by_role("button", name="Stop").click()
    notebook.wait_done(quickstart.base, timeout_s=STOP_MAX_S)
    notebook.screenshot("quickstart-stopped-cell", n=quickstart.base)
    second, first = quickstart.runs()
    assert (first.status, second.status) == ("finished", "stopped")
    assert 0 < len(second.metrics) == len(first.metrics)

    notebook.run(quickstart.index["runs"])
    shown = notebook.text(quickstart.index["runs"])
    notebook.screenshot("quickstart-runs", n=quickstart.index["runs"])
    assert "stopped" in shown
    assert [column for column in TABLE_COLUMNS if column not in shown] == []


def test_the_page_is_loaded_anew_in_mid_run_and_the_panel_is_there_again(lab):
    quickstart = Quickstart(lab, n_epochs=5000)
    notebook = quickstart.notebook
    quickstart.start()
    notebook.save()
    notebook.reload()
    quickstart.panel.locator("canvas").first.wait_for(timeout=30_000)
    before = quickstart.panel.inner_text()
    notebook.page.wait_for_timeout(2000)
    notebook.screenshot("quickstart-reloaded", n=quickstart.base)
    assert quickstart.panel.inner_text() != before
    quickstart.panel.get_by_role("button", name="Stop").click()
    quickstart.panel.wait_for(state="detached", timeout=30_000)
    assert [run.status for run in quickstart.runs()] == ["stopped"]
