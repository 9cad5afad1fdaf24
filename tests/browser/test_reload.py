"""A page that is loaded anew mid-run finds the run again, though its kernel is busy."""

from __future__ import annotations

import time

import pytest

from nbtrack.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TRAINING = """\
%%track slow
import nbtrack, time
for step in range(1200):
    nbtrack.log(train_loss=1 / (step + 1), val_loss=1.5 / (step + 1))
    time.sleep(0.05)
"""
REATTACH_MAX_S = 8.0
PICTURES = """n => {
  const cell = window.jupyterapp.shell.currentWidget.content.widgets[n];
  const outputs = cell ? cell.model.outputs.toJSON() : [];
  return outputs.filter(one => one.metadata?.nbtrack?.run).map(one => one.data);
}"""
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NO_LIVE_PANEL = f"""n => {{
  const pictures = ({PICTURES})(n);
  return pictures.length && !('{WIDGET_VIEW}' in pictures[0]);
}}"""


@pytest.fixture
def busy(lab):
    """A notebook whose second cell is mid-run."""
    notebook = lab.open(["%load_ext nbtrack", TRAINING])
    notebook.run(0)
    notebook.start(1)
    notebook.cell(1).locator(".nbt-panel").wait_for()
    return notebook


def status_of(lab) -> str:
    store = Store.open(lab.folder, create=False)
    try:
        return store.run("slow").status
    finally:
        store.close()


def panel_of(notebook):
    return notebook.cell(1).locator(".nbt-mounted .nbt-panel")


def test_the_panel_is_found_again_and_its_curve_moves(busy):
    busy.save()
    busy.reload()
    began = time.monotonic()
    panel = panel_of(busy)
    panel.locator("canvas").first.wait_for(timeout=20_000)
    took_s = time.monotonic() - began
    print(f"the panel stood {took_s:.1f} s after the notebook")
    before = panel.inner_text()
    picture = panel.locator("canvas").first.screenshot()
    busy.page.wait_for_timeout(1500)
    busy.screenshot("reload-reattached")
    assert panel.inner_text() != before
    assert panel.locator("canvas").first.screenshot() != picture
    assert busy.page.locator(".nbt-panel").count() == 1
    assert took_s < REATTACH_MAX_S


def test_stop_in_the_found_panel_stops_a_run_whose_output_was_not_saved(lab, busy):
    busy.reload()
    panel = panel_of(busy)
    panel.get_by_role("button", name="Stop").click(timeout=20_000)
    panel.wait_for(state="detached", timeout=30_000)
    shown = busy.page.evaluate(PICTURES, 1)
    busy.screenshot("reload-stopped")
    assert status_of(lab) == "stopped"
    assert [set(one) for one in shown] == [{"text/html", "text/plain"}]
    assert "slow" in busy.text(1)


def test_the_picture_of_a_run_that_ended_unseen_is_put_into_the_notebook(lab):
    short = TRAINING.replace("1200", "100")
    notebook = lab.open(["%load_ext nbtrack", short])
    notebook.run(0)
    notebook.start(1)
    notebook.cell(1).locator(".nbt-panel").wait_for()
    notebook.save()
    lab.page.goto("about:blank")
    end = time.monotonic() + 30
    while status_of(lab) == "running" and time.monotonic() < end:
        time.sleep(0.3)
    notebook.reload()
    lab.page.wait_for_function(NO_LIVE_PANEL, arg=1, timeout=20_000)
    shown = lab.page.evaluate(PICTURES, 1)
    notebook.screenshot("reload-ended-unseen")
    assert [set(one) for one in shown] == [{"text/html", "text/plain"}]
