from __future__ import annotations

import json
import os
import re
from functools import partial
from pathlib import Path

import nbclient
import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbconvert import HTMLExporter
from notebook_cells import quick_to_start
from panel_runs import FIRST, end_run, log_curve, start_run

from nbtrack.guard import guard
from nbtrack.notebook.panels.live import LivePanel, show_panel

pytestmark = pytest.mark.reproduce

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TRAIN = """%%track
import time, math
for epoch in range(5):
    for batch in range(40):
        loss = 2 / (1 + 40 * epoch + batch)
        time.sleep(0.005)
    val_loss = loss * 1.1
"""


def _started(folder: Path) -> KernelManager:
    """A kernel whose store is in the folder."""
    manager = KernelManager(kernel_name="python3")
    store = {"NBTRACK_STORE": str(folder / ".nbtrack")}
    manager.start_kernel(cwd=str(folder), env=quick_to_start(os.environ) | store)
    return manager


def _execute(manager: KernelManager, *cells: str, allow_errors: bool = False):
    """Execute cells as nbclient does; the notebook as it would be saved."""
    book = nbformat.v4.new_notebook()
    sources = ["%load_ext nbtrack", *cells]
    book.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    client = nbclient.NotebookClient(
        book, km=manager, timeout=60, allow_errors=allow_errors
    )
    try:
        return client.execute()
    finally:
        client.kc.stop_channels()


@pytest.fixture(scope="module")
def manager(tmp_path_factory):
    """One kernel for the notebooks of this file: a kernel takes 2 s of a core."""
    started = _started(tmp_path_factory.mktemp("notebook"))
    yield started
    started.shutdown_kernel(now=True)


@pytest.fixture
def execute(manager):
    """Execute cells in the kernel of this file, as a notebook of their own."""
    return partial(_execute, manager)


@pytest.fixture
def execute_afresh(tmp_path):
    """Execute cells in a fresh kernel."""
    started = _started(tmp_path)
    yield partial(_execute, started)
    started.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def trained(manager):
    """A notebook with one tracked cell, executed."""
    return _execute(manager, TRAIN)


def _panels(book) -> list[dict]:
    """The outputs that say which run they belong to."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    return [one for one in outputs if "nbtrack" in one.get("metadata", {})]


def test_the_panel_of_an_ended_run_is_a_still_picture(trained):
    (panel,) = _panels(trained)

    assert set(panel["data"]) == {"text/html", "text/plain"}
    assert "data:image/svg+xml" in panel["data"]["text/html"]
    assert "finished" in panel["data"]["text/plain"]


def test_no_view_of_a_widget_stays_in_the_notebook(trained):
    outputs = [output for cell in trained.cells for output in cell["outputs"]]

    assert WIDGET_VIEW not in json.dumps(outputs)


def test_a_notebook_grows_by_less_than_100_kb_per_run(trained, execute):
    one, three = (
        len(nbformat.writes(book)) for book in (trained, execute(*[TRAIN] * 3))
    )

    assert (three - one) / 2 < 100_000
    assert one < 100_000


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("raise ValueError('<b>no</b>')", "failed"),
        ("raise KeyboardInterrupt", "stopped"),
    ],
)
def test_a_cell_that_ends_badly_leaves_its_picture_too(execute, line, status):
    (panel,) = _panels(execute(f"{TRAIN}{line}", allow_errors=True))

    assert status in panel["data"]["text/plain"]
    assert "<b>no</b>" not in panel["data"]["text/html"]


def test_a_run_that_is_over_at_once_never_makes_a_widget(execute):
    book = execute("%%track\nfor i in range(3): loss = 1 / (i + 1)")

    assert len(_panels(book)) == 1
    assert "widgets" not in book.metadata


def test_nbconvert_shows_the_curve_without_a_kernel(trained, tmp_path):
    nbformat.write(trained, tmp_path / "done.ipynb")
    page, _ = HTMLExporter().from_filename(str(tmp_path / "done.ipynb"))

    assert page.count('<img alt="Curve of loss: loss ') == 1
    assert "jupyter-widgets" not in re.sub(r"<script.*?</script>", "", page, flags=re.S)


def test_without_anywidget_html_is_replaced_in_place(execute_afresh):
    hide = "import sys; sys.modules['anywidget'] = None"
    book = execute_afresh(hide, TRAIN.replace("0.005", "0.02"))

    (panel,) = _panels(book)
    assert "finished" in panel["data"]["text/html"]
    assert "widgets" not in book.metadata


def test_a_terminal_gets_one_text_at_the_end(shell, store, capsys):
    start_run(store, name="base\x1b[31m")
    panel = LivePanel(FIRST, store, on_stop=print)
    panel.show()
    log_curve(store, [2.0, 1.0])
    before = capsys.readouterr().out
    end_run(store)

    panel.finish()

    said = capsys.readouterr().out
    assert before == ""
    assert "finished" in said
    assert "\x1b" not in said.splitlines()[0]
    assert "<div" not in said


def test_a_panel_of_a_store_that_vanished_says_so_and_raises_nothing(shell, store):
    start_run(store)
    log_curve(store, [2.0])
    panel = LivePanel("gone", store, on_stop=print)
    panel.show()

    panel.finish()

    assert guard.failures["panel picture"] == 1


def test_show_panel_of_an_ended_run_is_the_still_picture(shell, store, capsys):
    start_run(store)
    log_curve(store, [2.0, 1.0])
    end_run(store)

    assert show_panel(store, FIRST) is None
    assert "finished" in capsys.readouterr().out


BROKEN = """
from nbtrack.store import Store
def broken(self, *_):
    raise OSError("the disk is gone")
real, Store.tail = Store.tail, broken
"""
MENDED = "Store.tail = real"


def test_a_panel_that_breaks_mid_run_leaves_the_cell_alone(execute):
    lines = ["    if epoch == 2 and batch == 0:", "        Store.tail = broken"]
    train = TRAIN.replace(
        "        time", "\n".join([*[f"    {x}" for x in lines], ""]) + "        time"
    )
    book = execute(BROKEN + MENDED, train, MENDED, "loss")

    assert book.cells[-1].outputs[0]["data"]["text/plain"].startswith("0.01")
    said = [o["text"] for c in book.cells for o in c.outputs if "text" in o]
    assert sum("live panel failed and was left out" in text for text in said) == 1


LIVE_ELSEWHERE = """
import sys, time, nbtrack
from nbtrack.store import Store
from nbtrack.notebook.panels.live import show_panel
run = nbtrack.start("base")
for i in range(5):
    run.log(loss=1 / (i + 1))
run.record()  # on disk by now
panel = show_panel(Store.open(run.store.path), run.id)
time.sleep(1.5)
run.finish()
time.sleep(1.5)
"""


def test_a_panel_that_nobody_ends_ends_with_its_run(execute_afresh):
    (panel,) = _panels(execute_afresh(LIVE_ELSEWHERE))

    assert set(panel["data"]) == {"text/html", "text/plain"}
    assert "finished" in panel["data"]["text/plain"]
