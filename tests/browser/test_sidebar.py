"""The side bar in a real JupyterLab: what it lists, finds, marks and shows live."""

from __future__ import annotations

import json
import time

import pytest
from many_runs import fill
from side_bar import LATENESS, LIVE, RUNS, TRACKED, line, names, side

from nbtrack.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

COUNT_REQUESTS = """() => performance.getEntriesByType('resource')
  .filter(one => one.name.includes('/nbtrack/')).length"""


@pytest.fixture
def notebook(lab):
    notebook = lab.open(["%load_ext nbtrack", RUNS, TRACKED])
    notebook.run_all()
    return notebook


def test_runs_are_listed_found_and_described(lab, notebook):
    bar, page = side(lab.page), lab.page
    line(bar, "mlp").wait_for()
    assert names(bar) == ["mlp", "base-2", "base-1", "base-0"]
    assert bar.locator(".nbt-item-notebook").inner_text().split() == ["notebook", "4"]
    assert bar.locator(".nbt-item-cell").inner_text().split() == ["base", "3"]
    bar.locator(".nbt-run path").nth(3).wait_for()
    notebook.screenshot("sidebar-light")

    line(bar, "base-1").hover()
    card = page.locator(".nbt-card")
    card.wait_for()
    for said in ("base-1", "finished", "lr", "0.1", "val_acc", "@ step 39", "#paper"):
        assert said in card.inner_text()
    notebook.screenshot("sidebar-card")

    search = bar.locator(".nbt-search")
    search.fill('val_acc > .95 and "paper" in tags')
    page.wait_for_function("() => document.querySelectorAll('.nbt-run').length === 2")
    assert names(bar) == ["base-1", "base-0"]
    search.fill("val_acc >> .95")
    error = bar.locator("#nbt-search-error")
    page.wait_for_function(
        "() => document.querySelector('#nbt-search-error').textContent !== ''"
    )
    assert ">>" in error.inner_text() or "val_acc" in error.inner_text()
    assert names(bar) == ["base-1", "base-0"]  # what was there stays
    search.fill("")
    line(bar, "mlp").wait_for()
    lab.theme("Dark")
    notebook.screenshot("sidebar-dark")
    lab.theme("Light")
    assert lab.problems == [p for p in lab.problems if "400" in p]


def test_keys_do_what_clicks_do(lab, notebook):
    bar, page = side(lab.page), lab.page
    line(bar, "mlp").wait_for()
    tree = bar.locator("[role=tree]")
    tree.focus()
    for key in ("Home", "ArrowDown", "s"):
        page.keyboard.press(key)
    bar.locator('.nbt-run .nbt-star-mark[data-on="true"]').wait_for()
    with Store.open(lab.folder, create=False) as store:
        assert "star" in store.run("mlp").tags
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert bar.locator(".nbt-chosen").inner_text().startswith("2 selected")
    page.keyboard.press("Delete")
    page.wait_for_function("() => document.querySelectorAll('.nbt-run').length === 2")
    assert names(bar) == ["mlp", "base-2"]
    bar.get_by_role("button", name="Trash").click()
    line(bar, "base-0").wait_for()
    assert names(bar) == ["base-1", "base-0"]
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("() => document.querySelectorAll('.nbt-run').length === 0")
    bar.get_by_role("button", name="Trash").click()
    line(bar, "base-0").wait_for()
    line(bar, "base-0").click(button="right")
    page.get_by_role("menuitem", name="Rename Run").click()
    dialog = page.locator(".jp-Dialog input")
    dialog.fill("first <b>try</b>")
    dialog.press("Enter")
    line(bar, "first <b>try</b>").wait_for()
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelectorAll('.nbt-run').length === 0")
    assert lab.problems == []


def test_what_a_busy_kernel_logs_is_seen_and_stop_reaches_it(lab):
    notebook = lab.open(["%load_ext nbtrack", LIVE])
    bar, page = side(lab.page), lab.page
    notebook.run(0)
    notebook.start(1)
    live = line(bar, "live")
    live.wait_for()
    assert live.locator(".nbt-dot").get_attribute("data-status") == "running"
    late = page.evaluate(LATENESS)  # how late: in the benchmarks
    assert len(late) == 6
    notebook.screenshot("sidebar-live")
    live.click(button="right")
    page.get_by_role("menuitem", name="Stop Run").click()
    bar.locator('.nbt-run .nbt-dot[data-status="stopped"]').wait_for()
    with Store.open(lab.folder, create=False) as store:
        assert store.run("live").status == "stopped"
    assert lab.problems == []


def test_nothing_is_asked_where_nobody_looks_or_nothing_is(lab):
    notebook = lab.open(["1 + 1", "%load_ext nbtrack", TRACKED])
    bar, page = side(lab.page), lab.page
    bar.locator(".nbt-nothing").wait_for()
    assert "No store yet" in bar.inner_text()
    assert not list(lab.folder.glob(".nbtrack"))
    page.wait_for_timeout(2000)
    assert asked_within(page, 3) == 0  # no store
    notebook.run(1)
    notebook.run(2)
    line(bar, "mlp").wait_for()  # born in a cell, found at once
    assert asked_within(page, 3) > 3
    page.evaluate("() => window.jupyterapp.commands.execute('filebrowser:activate')")
    page.wait_for_timeout(1000)
    assert asked_within(page, 3) == 0  # hidden


def asked_within(page, seconds):
    before = page.evaluate(COUNT_REQUESTS)
    page.wait_for_timeout(seconds * 1000)
    return page.evaluate(COUNT_REQUESTS) - before


def test_a_store_with_a_problem_says_so_and_the_others_go_on(lab, notebook):
    bad = lab.folder / "bad"
    bad.mkdir()
    (bad / ".nbtrack").mkdir()
    (bad / ".nbtrack" / "nbtrack.db").write_bytes(b"this is no database " * 500)
    book = json.loads(notebook.path.read_text())
    (bad / "other.ipynb").write_text(json.dumps(book))
    lab.open_file(bad / "other.ipynb")
    bar = side(lab.page)
    trouble = bar.locator(".nbt-troubles li")
    trouble.wait_for()
    assert "bad" in trouble.inner_text()
    assert trouble.get_attribute("data-state") == "problem"
    line(bar, "mlp").wait_for()
    notebook.screenshot("sidebar-trouble")


def test_notebook_7_has_it_too(lab, notebook):
    seven = lab.open_in_notebook_7(notebook.path)
    page = lab.page
    bar = side(page)
    line(bar, "mlp").wait_for()
    line(bar, "mlp").click()
    pane = page.locator(".nbt-run-pane")
    pane.locator(".nbt-page-curves canvas").first.wait_for()
    pane.locator("h1", has_text="mlp").wait_for()
    assert pane.bounding_box()["height"] > 200
    seven.cell(2).locator(".nbt-badge", has_text="mlp").wait_for()
    page.wait_for_timeout(300)
    seven.screenshot("sidebar-notebook-7")
    lab.theme("Dark")
    seven.screenshot("sidebar-notebook-7-dark")
    lab.theme("Light")
    assert not [one for one in lab.problems if "nbt" in one]


def test_the_first_of_many_runs_are_there_at_once(lab):
    """Five thousand, of which only those in view are in the page."""
    with Store.open(lab.folder) as store:
        fill(store, 5000)
    lab.open(["1"])
    began = time.monotonic()
    bar, page = side(lab.page), lab.page
    line(bar, "run-4999").wait_for()
    took = time.monotonic() - began
    assert took < 20  # a hang, not a pace: that is measured in the benchmarks
    assert bar.locator(".nbt-side-title [role=status]").inner_text() == "5000"
    assert bar.locator(".nbt-run").count() < 80
    tree = bar.locator("[role=tree]")
    for _ in range(3):
        tree.evaluate("tree => tree.scrollTop = tree.scrollHeight")
        page.wait_for_timeout(700)
    assert bar.locator(".nbt-run").count() < 80
    assert "run-4999" not in names(bar)
    assert lab.problems == []
