"""Pages of runs and comparisons in JupyterLab, and the way from a run to its cell."""

from __future__ import annotations

import pytest
from side_bar import RUNS, TRACKED, line, side

import nbtrack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

SAVED = """\
%%track saved --no-live
import json
from pathlib import Path
lr = 0.2
with open("weights.json", "w") as file:
    json.dump([lr], file)
nbtrack.current().checkpoint("weights.json", step=0)
nbtrack.log(val_loss=lr)
"""
LABELS = "() => [...window.jupyterapp.shell.widgets('main')].map(w => w.title.label)"
# What a screen reader could only call "button".
NAMELESS = """() => [...document.querySelectorAll(
    ':is(.nbt-sidebar, .nbt-run-pane, .nbt-compare-pane) :is(button, input, select, ' +
    'textarea, a, [role=tree], [role=treeitem], [role=img])')]
  .filter(one => !one.getAttribute('aria-label') && !one.title && !one.labels?.length
    && !one.textContent.trim()).map(one => one.outerHTML.slice(0, 200))"""
EXECUTE = "([command, args]) => window.jupyterapp.commands.execute(command, args)"


def sources(page):
    """Of the cells of the notebook that is open."""
    return page.evaluate(
        """() => [...window.jupyterapp.shell.widgets('main')]
             .find(one => one.content?.widgets && one.context)
             .content.widgets.map(cell => cell.model.sharedModel.getSource())"""
    )


def execute(page, command, **args):
    page.evaluate(EXECUTE, [f"nbtrack:{command}", args])


def run_id(bar, name):
    return line(bar, name).get_attribute("data-run")


def test_a_run_has_a_page_and_its_cell_is_found(lab):
    notebook = lab.open(["%load_ext nbtrack\nimport nbtrack", SAVED, RUNS])
    notebook.run_all()
    notebook.save()
    bar, page = side(lab.page), lab.page
    line(bar, "saved").click()
    pane = page.locator(".nbt-run-pane")
    pane.locator("h1", has_text="saved").wait_for()
    pane.locator(".nbt-part summary", has_text="Params").wait_for()
    said = pane.inner_text()
    for part in ("Metrics", "Params", "lr", "0.2", "Code", "Artifacts", "weights.json"):
        assert part in said
    notebook.screenshot("run-page")

    with page.expect_download() as caught:
        pane.locator("a", has_text="Download").first.click()
    assert caught.value.path().read_text() == "[0.2]"
    with page.expect_download() as caught:
        pane.get_by_role("button", name="Export script").click()
    assert caught.value.suggested_filename == "saved.py"
    assert "json.dump([lr], file)" in caught.value.path().read_text()

    pane.locator("textarea").fill("best <i>so far</i>")
    pane.locator("textarea").blur()
    pane.locator(".nbt-star-mark").click()
    line(bar, "saved").locator('.nbt-star-mark[data-on="true"]').wait_for()

    pane.get_by_role("button", name="Go to cell").click()
    notebook.cell(1).locator(".nbt-badge", has_text="saved").wait_for()
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.content.activeCellIndex === 1"
    )
    assert "has changed" not in page.locator("body").inner_text()
    notebook.set_source(1, SAVED.replace("0.2", "0.3"))
    execute(page, "go-to-cell", run=run_id(bar, "saved"))
    page.get_by_role("button", name="Show difference").click()
    lines = page.locator(".nbt-lines tr[data-kind=changed]")
    lines.first.wait_for()
    assert "lr = 0.2" in lines.first.inner_text()
    assert "lr = 0.3" in lines.first.inner_text()
    notebook.screenshot("run-cell-diff")
    assert lab.problems == []


def test_params_cells_and_a_sweep_are_put_below_the_active_cell(lab, notebook):
    bar, page = side(lab.page), lab.page
    line(bar, "mlp").wait_for()
    notebook.cell(2).click()
    execute(page, "insert-params", run=run_id(bar, "base-1"))
    page.wait_for_timeout(500)
    assert sources(page)[3] == "# params of base-1\nlr = 0.1\nbs = 32"
    execute(page, "insert-cells", run=run_id(bar, "mlp"))
    page.wait_for_timeout(1000)
    assert "val_acc = 1 - 0.9 / (epoch + 1)" in sources(page)[4]
    notebook.cell(2).click()
    execute(page, "sweep-cell")
    notebook.cell(3).locator(".nbt-sweep").wait_for()
    assert sources(page)[3].startswith("%%sweep\nlr = 0.05\n")
    notebook.screenshot("sweep-from-cell")
    assert lab.problems == []


def test_runs_are_compared_in_a_page_that_a_reload_brings_back(lab, notebook):
    bar, page = side(lab.page), lab.page
    for name in ("base-0", "base-1"):
        line(bar, name).locator(".nbt-box").click()
    bar.get_by_role("button", name="Compare", exact=True).click()
    pane = page.locator(".nbt-compare-pane")
    pane.locator(".nbt-overlay canvas").wait_for()
    table = pane.locator(".nbt-rows tbody tr[data-run]")
    assert table.count() == 2
    pane.locator("button.nbt-sort", has_text="loss").first.click()
    page.wait_for_timeout(1500)
    notebook.screenshot("compare-page")
    pane.get_by_role("tab", name="Diff of two runs").click()
    diff = pane.locator(".nbt-diff")
    diff.wait_for()
    for said in ("base-0", "base-1", "lr", "0.3", "0.1"):
        assert said in diff.inner_text()
    notebook.screenshot("compare-page-diff")
    line(bar, "mlp").click()
    page.locator(".nbt-run-pane h1", has_text="mlp").wait_for()
    page.wait_for_timeout(1500)  # the layout is saved

    page.goto(notebook.address)
    notebook.wait_open()
    there = page.locator(".nbt-run-pane h1", has_text="mlp")
    there.wait_for(state="attached")  # behind the notebook
    assert "Compare runs" in page.evaluate(LABELS)
    page.locator(".lm-TabBar-tab", has_text="Compare runs").click()
    pane.locator(".nbt-rows tbody tr[data-run]").first.wait_for()
    assert table.count() == 2
    assert pane.locator("th[aria-sort]").count() == 1
    line(bar, "mlp").wait_for()  # the side bar is open again, too
    assert lab.problems == []


def test_one_command_opens_the_whole_layout(lab, notebook):
    page = lab.page
    bar = side(page)
    line(bar, "mlp").wait_for()
    page.keyboard.press("Control+Shift+C")
    search = page.locator(".lm-CommandPalette-input")
    search.fill("nbtrack layout")
    search.press("Enter")
    page.locator(".nbt-compare-pane .nbt-rows tbody tr[data-run]").first.wait_for()
    page.locator(".nbt-run-pane h1", has_text="mlp").wait_for()
    page.wait_for_timeout(1500)
    notebook.screenshot("layout-light")
    assert page.evaluate(NAMELESS) == []
    lab.theme("Dark")
    page.wait_for_timeout(500)
    notebook.screenshot("layout-dark")
    lab.theme("Light")
    assert lab.problems == []


@pytest.fixture
def notebook(lab):
    notebook = lab.open(["%load_ext nbtrack", RUNS, TRACKED])
    notebook.run_all()
    notebook.save()
    return notebook


def test_runs_are_dropped_where_they_are_to_stand(lab, notebook):
    bar, page = side(lab.page), lab.page
    line(bar, "base-1").hover()
    page.mouse.down()
    page.mouse.move(700, 400, steps=8)
    page.locator(".nbt-dragged", has_text="base-1").wait_for()
    page.mouse.move(1200, 500, steps=8)
    page.mouse.up()
    pane = page.locator(".nbt-run-pane")
    pane.locator("h1", has_text="base-1").wait_for()
    assert page.locator(".nbt-dragged").count() == 0
    assert page.locator(".jp-NotebookPanel").is_visible()  # it stands beside it
    assert pane.bounding_box()["x"] > 600
    assert lab.problems == []


def test_a_model_is_promoted_from_the_palette(lab):
    from nbtrack.store import Store

    registered = SAVED + 'nbtrack.models.register("weights", "fraud")\n'
    notebook = lab.open(["%load_ext nbtrack\nimport nbtrack", SAVED, registered])
    page = lab.page
    notebook.run(0)
    notebook.run(1)
    notebook.set_source(
        2, "nbtrack.models.register(nbtrack.artifacts.get('weights'), 'fraud').version"
    )
    assert "Error" not in notebook.run(2)
    page.evaluate("() => void jupyterapp.commands.execute('nbtrack:promote-model')")
    for text in (None, "staging", "good enough"):
        answer(page, text)
    page.get_by_text("is in staging").wait_for()
    with Store.open(lab.folder, create=False) as store:
        [version] = store.model_versions("fraud")
    assert version.stage == "staging"
    assert lab.problems == []


def answer(page, text):
    """Say something in the dialog that is open, and wait until it is gone."""
    dialog = page.locator(".jp-Dialog")
    dialog.wait_for()
    if text is not None and dialog.locator("select").count():
        dialog.locator("select").select_option(label=text)
    elif text is not None:
        dialog.locator("input").fill(text)
    head = dialog.locator(".jp-Dialog-header").inner_text()
    dialog.locator(".jp-mod-accept").click()
    page.wait_for_function(
        """head => !document.querySelector('.jp-Dialog')?.textContent.includes(head)""",
        arg=head,
    )


MADE = "x = 2\nimport nbtrack"
BASE = """\
%%track base --no-live
for epoch in range(3):
    loss = x / (epoch + 1)
"""


def test_a_bundle_is_exported_from_the_menu_and_says_what_was_proven(lab, tmp_path):
    notebook = lab.open(["%load_ext nbtrack", MADE, BASE])
    notebook.run_all()
    notebook.save()
    bar, page = side(lab.page), lab.page
    line(bar, "base").click()
    pane = page.locator(".nbt-run-pane")
    pane.get_by_role("button", name="Export bundle…").wait_for()
    assert "Reproducibility" not in pane.inner_text()

    line(bar, "base").click(button="right")
    page.locator(".lm-Menu-item", has_text="Export Bundle…").click()
    dialog = page.locator(".jp-Dialog")
    dialog.wait_for()
    assert "in a fresh process, on this machine" in dialog.inner_text()
    notebook.screenshot("export-bundle")
    with page.expect_download(timeout=120_000) as caught:
        page.keyboard.press("Enter")  # to prove it is what it asks for
    assert caught.value.suggested_filename == "base.nbt.zip"
    assert verified(caught.value, tmp_path) == ("INTACT", "PROVEN")
    word = page.get_by_text("2 of 3 cells give the same result")
    word.first.wait_for()
    assert page.locator(".Toastify__toast", has_text="exported base.nbt.zip").count()
    part = pane.locator(".nbt-part", has_text="Reproducibility")
    part.get_by_text("PROVEN").wait_for()
    notebook.screenshot("run-page-proven")
    assert page.evaluate(NAMELESS) == []

    pane.get_by_role("button", name="Export bundle…").click()
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="detached")
    pane.get_by_role("button", name="Export bundle…").click()
    with page.expect_download(timeout=120_000) as caught:
        dialog.get_by_role("button", name="Without proof").click()
    assert verified(caught.value, tmp_path) == ("INTACT", "UNPROVEN")
    assert lab.problems == []


def verified(download, folder):
    """What is said of a bundle that the page saved."""
    path = folder / download.suggested_filename
    download.save_as(path)
    found = nbtrack.verify(path)
    return found.state, found.proof


RERUN = """\
from nbtrack.bundles.rerun import rerun
verdict = rerun("base")
print(verdict.verdict)
"""


def test_a_rerun_leads_to_the_run_that_it_repeats(lab):
    notebook = lab.open(["%load_ext nbtrack", MADE, BASE, RERUN])
    notebook.run_all()
    said = notebook.text(3)
    bar, page = side(lab.page), lab.page
    line(bar, "rerun of base").click()
    pane = page.locator(".nbt-run-pane")
    part = pane.locator(".nbt-part", has_text="Reproducibility")
    part.wait_for()
    assert part.locator("th", has_text="rerun of").count() == 1
    verdict = part.locator("tr", has_text="verdict").inner_text()
    assert verdict.split()[1] in said
    tags = pane.locator(".nbt-tag").all_inner_texts()
    assert any(tag.startswith("rerun") for tag in tags)
    assert any(tag.startswith("verdict") for tag in tags)
    notebook.screenshot("run-page-rerun")
    part.get_by_role("button", name="Open base").click()
    page.locator(".nbt-run-pane h1").get_by_text("base", exact=True).wait_for()
    assert page.evaluate(NAMELESS) == []
    assert lab.problems == []
