"""Alerts where people look: in the panel, in the side bar, in the saved notebook."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from side_bar import line, side

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TRAIN = """%%track base --alert "train_loss > 10" --alert finished
import math, time, nbtrack
for step in range({n}):
    train_loss = math.nan if step == 30 else 50.0 if step > 60 else 2 / (step + 1)
    val_loss = 2.2 / (step + 1)
    if step == 40:
        nbtrack.alert("learning rate was halved", "no progress in 10 steps")
    time.sleep(0.05)
"""
AT_NAN = """%%track
import math, time
for step in range(200):
    loss = math.nan if step == 20 else 1.0
    if step == 20:
        at = time.time()
    time.sleep(0.05)
    if step == 60:
        break
print("nan at", at)
"""
STALLS = """%%track --alert "stalled 0.6s"
import time
loss = 1.0
for loss in [1.0, 0.5]:
    time.sleep(0.1)
import nbtrack
nbtrack.log(loss2=1.0)
time.sleep(6)
"""
# A run of a script, in the same store: no panel of it is on the page.
SCRIPT = """
import json, math, sys, time, nbtrack
name, texts, rules = json.loads(sys.argv[1])
with nbtrack.start(name, experiment="script", alerts=rules, off="all") as run:
    run.log(loss=1.0)
    time.sleep(2.5)
    for text in texts:
        run.alert(text, text, "warn")
    run.log(loss=11.0)
    time.sleep(1.5)
"""
PAYLOADS = [
    '<img src=x onerror="window.nbtHurt=1">',
    "<script>window.nbtHurt=2</script>",
    "<a href=javascript:window.nbtHurt=5>x</a>",
    "[x](javascript:window.nbtHurt=8) **b** ![y](http://127.0.0.1:9/nbt.png)",
]
TOAST = ".nbt-panel .nbt-toast"
NOTICE = ".Toastify__toast"


def script(lab, name="night-1", texts=(), rules=("loss > 10",)):
    """Begin a run in a process of its own beside the notebook."""
    asked = json.dumps([name, list(texts), list(rules)])
    return subprocess.Popen([sys.executable, "-c", SCRIPT, asked], cwd=lab.folder)


def test_a_panel_tells_and_keeps_what_happened(lab):
    notebook = lab.open(["%load_ext nbtrack", TRAIN.format(n=140)])
    page = lab.page
    notebook.run(0)
    notebook.start(1)
    page.locator(TOAST, has_text="train_loss is NaN @ step 30").wait_for(timeout=20_000)
    nan = page.locator(TOAST, has_text="NaN")
    assert nan.get_attribute("role") == "alert"
    page.locator(TOAST, has_text="train_loss > 10").wait_for(timeout=20_000)
    page.locator(".nbt-panel").scroll_into_view_if_needed()
    page.wait_for_timeout(400)
    notebook.screenshot("alerts-panel-light")
    lab.theme("Dark")
    notebook.screenshot("alerts-panel-dark")
    page.locator(TOAST, has_text="NaN").get_by_role("button").click()
    page.locator(TOAST, has_text="NaN").wait_for(state="detached")
    assert page.locator(NOTICE, has_text="NaN").count() == 0, "the panel says it"
    bell = page.locator(".nbt-bell")
    bell.click()
    assert page.locator(TOAST).count() == 0
    titles = page.locator(".nbt-alerts li b").all_inner_texts()
    assert titles == [
        "train_loss > 10 @ step 61",
        "learning rate was halved @ step 40",
        "train_loss is NaN @ step 30",
    ]
    notebook.screenshot("alerts-panel-list-dark")
    lab.theme("Light")
    notebook.screenshot("alerts-panel-list-light")
    notebook.wait_done(1)
    assert "train_loss is NaN @ step 30" in notebook.output(1).inner_text()
    assert "run finished" in notebook.output(1).inner_text()
    notebook.screenshot("alerts-static-light")
    saved = json.dumps(notebook.save().cells[1].outputs)
    assert "learning rate was halved" in saved
    assert lab.problems == []


def test_nan_is_seen_on_the_page_at_once(lab):
    notebook = lab.open(["%load_ext nbtrack", AT_NAN])
    notebook.run(0)
    notebook.start(1)
    toast = lab.page.locator(TOAST, has_text="loss is NaN @ step 20")
    toast.wait_for(timeout=20_000)
    seen = time.time()
    notebook.wait_done(1)
    at = float(notebook.text(1).partition("nan at ")[2].split()[0])
    assert seen - at < 1.5, "one drain, one frame, one look, on a busy machine"


def test_a_stall_is_told_while_the_cell_still_runs(lab):
    notebook = lab.open(["%load_ext nbtrack", STALLS])
    notebook.run(0)
    notebook.start(1)
    toast = lab.page.locator(TOAST, has_text="no new point for 0.6s")
    toast.wait_for(timeout=15_000)
    assert toast.get_attribute("role") == "status"
    assert notebook.is_busy(1)


def test_the_side_bar_tells_of_a_run_that_no_notebook_shows(lab):
    notebook = lab.open(["%load_ext nbtrack", "%%track --no-live here\nloss = 1"])
    notebook.run_all()
    page, bar = lab.page, side(lab.page)
    line(bar, "here").wait_for()
    process = script(lab, rules=("loss > 10", "finished"))
    notice = page.locator(NOTICE, has_text="night-1: loss > 10 @ step 1")
    notice.wait_for(timeout=20_000)
    row = line(bar, "night-1")
    mark = row.locator(".nbt-alert-mark")
    mark.wait_for()
    page.locator(NOTICE, has_text="night-1: run finished").wait_for(timeout=10_000)
    page.wait_for_function(
        "() => document.querySelector('.nbt-alert-mark')?.textContent === '2'"
    )
    row.hover()
    page.locator(".nbt-card .nbt-card-alert").first.wait_for()
    notebook.screenshot("alerts-sidebar-light")
    lab.theme("Dark")
    row.hover()
    page.locator(".nbt-card .nbt-card-alert").first.wait_for()
    notebook.screenshot("alerts-sidebar-dark")
    lab.theme("Light")
    notice.get_by_role("button", name="Open run").click()
    pane = page.locator(".nbt-run-pane:visible")
    pane.locator(".nbt-part", has_text="Alerts").wait_for()
    assert "loss > 10 @ step 1" in pane.locator(".nbt-part").first.inner_text()
    mark.wait_for(state="detached")
    page.wait_for_timeout(500)
    notebook.screenshot("alerts-run-page-light")
    assert process.wait(20) == 0
    assert lab.problems == []


def test_s05_no_text_of_an_alert_becomes_markup(lab):
    notebook = lab.open(["%load_ext nbtrack", "%%track --no-live here\nloss = 1"])
    notebook.run_all()
    page, bar, asked = lab.page, side(lab.page), []
    page.on("request", lambda request: asked.append(request.url))
    line(bar, "here").wait_for()
    process = script(lab, PAYLOADS[0], PAYLOADS, rules=("loss > 10",))
    page.locator(NOTICE).nth(2).wait_for(timeout=20_000)
    bar.locator(".nbt-alert-mark").wait_for()
    bar.locator(".nbt-run").first.hover()
    page.locator(".nbt-card .nbt-card-alert").first.wait_for()
    run = bar.locator(".nbt-run").first.get_attribute("data-run")
    page.evaluate("run => jupyterapp.commands.execute('nbtrack:open-run', {run})", run)
    pane = page.locator(".nbt-run-pane:visible")
    pane.locator(".nbt-bell").click()
    pane.locator(".nbt-alerts li").nth(3).wait_for()
    assert PAYLOADS[1] in pane.locator(".nbt-alerts").inner_text()
    notebook.screenshot("alerts-hostile")
    page.wait_for_timeout(300)
    assert process.wait(20) == 0
    assert page.evaluate("() => window.nbtHurt") is None
    ours = ".nbt-sidebar, .nbt-run-pane, .nbt-card, .Toastify"
    for tag in ("script", "img", "iframe", "a[href^=javascript]"):
        assert page.locator(f":is({ours}) {tag}").count() == 0
    assert all(url.startswith((lab.server.url, "data:", "blob:")) for url in asked)
