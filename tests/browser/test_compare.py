"""`%compare` in a real JupyterLab: table, curves, state as text; pictures."""

from __future__ import annotations

import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RUNS = """import os
os.environ["NBTRACK_OFF"] = "all"
import math, nbtrack, numpy as np
rng = np.random.default_rng(0)
for opt in ("adam", "sgd"):
    for seed in range(4):
        lr = [0.1, 0.03, 0.01, 0.003][seed]
        params = {"lr": lr, "opt": opt, "seed": seed, "layers": 3}
        with nbtrack.start(f"{opt}-{seed}", params=params, group=opt) as run:
            for step in range(300):
                epoch = step // 30
                noise = rng.normal() * 0.02
                loss = 2 * math.exp(-step * lr) + lr + 0.1 * (opt == "sgd") + noise
                run.log(loss=loss, epoch=epoch)
                if step % 30 == 29:
                    run.log(val_acc=1 - loss / 3)
            run.checkpoint({"w": [1, 2]}, name="mlp")
HOSTILE = "<img src=x onerror='window.hurt=1'>"
params = {HOSTILE: HOSTILE, "lr": "high", "layers": 3}
with nbtrack.start(HOSTILE, params=params, tags=[HOSTILE]) as run:
    run.log({"loss": math.nan, HOSTILE: 1.0})"""


@pytest.fixture
def compared(lab):
    notebook = lab.open(
        ["%load_ext nbtrack", RUNS, "p = %compare --sort loss --smooth .6\np", ""]
    )
    for n in range(3):
        notebook.run(n)
    lab.page.locator(".nbt-compare .nbt-rows tbody tr[data-run]").first.wait_for()
    lab.page.locator(".nbt-overlay canvas").wait_for()
    return notebook


def line(page):
    return page.locator(".nbt-line code").inner_text()


def names(page):
    return page.locator(".nbt-rows tbody tr[data-run] th").all_inner_texts()


def wait_for(page, what):
    page.wait_for_function(what, timeout=10_000)


def test_what_is_clicked_is_shown_told_to_python_and_said_as_a_line(compared, lab):
    page = lab.page
    panel = page.locator(".nbt-compare")
    panel.scroll_into_view_if_needed()
    compared.screenshot("compare-light")
    assert names(page)[-1].startswith("<img")
    assert names(page)[0].startswith("adam")
    assert "layers" not in panel.locator("thead").inner_text()
    assert "@" in panel.locator("td.nbt-is-best").first.inner_text()

    panel.locator("thead button", has_text="val_acc").first.click()
    wait_for(page, "() => document.querySelector('.nbt-line code')"
                   ".textContent.includes('--sort best.val_acc')")  # fmt: skip
    row = panel.locator("tbody tr", has_text="sgd-1")
    row.get_by_role("button", name="Show the others against it").click()
    panel.locator(".nbt-delta[data-good=true]").first.wait_for()
    assert names(page)[0] == "sgd-1"
    row.get_by_role("button", name="Star it").click()
    panel.locator("tbody tr", has_text="★").wait_for()
    panel.get_by_label("Query: which runs").fill("loss < 5 and seed > 0")
    panel.get_by_label("Query: which runs").press("Enter")
    panel.get_by_text("6 of 9 runs").wait_for()
    said = line(page)
    assert "--baseline sgd-1" in said
    assert said.startswith("%compare loss < 5 and seed > 0 --sort best.val_acc")

    compared.set_source(3, "print(p.line, len(p.df), p.baseline, p.selection)")
    told = compared.run(3)
    assert told.startswith(said)
    assert " 6 " in told

    panel.get_by_label("Query: which runs").fill("loss <")
    panel.get_by_label("Query: which runs").press("Enter")
    panel.get_by_role("alert").get_by_text("cannot be read").wait_for()
    compared.screenshot("compare-error")
    assert page.evaluate("() => window.hurt") is None
    assert lab.problems == []


def test_curves_are_grouped_zoomed_and_lead_to_a_checkpoint(compared, lab):
    page = lab.page
    panel = page.locator(".nbt-compare")
    page.locator(".nbt-overlay").scroll_into_view_if_needed()
    over = panel.locator(".nbt-overlay .u-over")
    box = over.bounding_box()
    over.click(position={"x": box["width"] - 2, "y": box["height"] * 0.9})
    panel.locator(".nbt-pick code", has_text="nbtrack.load_checkpoint(").wait_for()

    compared.set_source(3, "p.set(group='opt', bands=True, metric='val_acc')")
    compared.run(3)
    panel.locator(".nbt-legend", has_text="adam (4)").wait_for()
    panel.locator("tr.nbt-group", has_text="sgd (4)").wait_for()
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 60, steps=4)
    page.mouse.up()
    time.sleep(1)
    compared.screenshot("compare-bands-light")
    lab.theme("Dark")
    compared.screenshot("compare-bands-dark")
    lab.theme("Light")
    assert "--group params.opt" in line(page)
    assert "--bands" in line(page)
    assert lab.problems == []


def test_a_part_of_the_curves_is_moved_by_keys_and_by_the_mouse(compared, lab):
    page = lab.page
    chart = page.locator(".nbt-overlay .u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    x, y = box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 5, y, steps=5)
    page.mouse.up()
    first = in_view(page)
    assert first[1] - first[0] == pytest.approx(60, abs=4)
    chart.focus()
    page.keyboard.press("ArrowRight")
    right = in_view(page)
    assert right[0] - first[0] == pytest.approx(15, abs=2)
    page.mouse.move(x, y)
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(x + box["width"] / 2, y, steps=5)  # the hand takes the curve along
    page.mouse.up()
    page.keyboard.up("Shift")
    dragged = in_view(page)
    assert right[0] - dragged[0] == pytest.approx(30, abs=3)
    page.keyboard.press("+")
    less = in_view(page)
    assert less[1] - less[0] == pytest.approx(30, abs=3)
    page.keyboard.press("Home")
    assert in_view(page) is None
    assert lab.problems == []


def in_view(page):
    """From where to where the curves are shown, once the store was asked; None: all."""
    page.wait_for_timeout(600)
    label = page.locator(".nbt-plot-tall").get_attribute("aria-label")
    _, is_part, span = label.partition("In view: ")
    return [float(end) for end in span.rstrip(".").split(" to ")] if is_part else None


def test_a_page_that_is_loaded_anew_has_the_panel_as_it_was(compared, lab):
    page = lab.page
    panel = page.locator(".nbt-compare")
    row = panel.locator("tbody tr", has_text="sgd-1")
    row.get_by_role("button", name="Show the others against it").click()
    panel.get_by_label("no outliers").check()
    wait_for(page, "() => document.querySelector('.nbt-line code')"
                   ".textContent.includes('--clip')")  # fmt: skip
    before = line(page)
    compared.save()
    compared.reload()
    page.locator(".nbt-compare tbody tr[data-run]").first.wait_for(timeout=60_000)
    assert line(page) == before
    assert names(page)[0] == "sgd-1"
    page.locator(".nbt-overlay canvas").wait_for()  # its points come behind the table
