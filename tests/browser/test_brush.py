"""Parallel coordinates beside `%compare`: a brush with the mouse filters the table."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RUNS = """import os
os.environ["NBTRACK_OFF"] = "all"
import nbtrack
for nth, lr in enumerate([0.001, 0.003, 0.01, 0.03, 0.1, 0.3]):
    for opt in ("adam", "sgd"):
        params = {"lr": lr, "opt": opt, "dropout": nth / 10}
        with nbtrack.start(f"{opt}-{lr}", params=params) as run:
            for step in range(20):
                run.log(val_loss=abs(lr - 0.02) + 1 / (step + 1) + 0.1 * (opt == "sgd"))
HOSTILE = "<img src=x onerror='window.hurt=1'>"
with nbtrack.start(HOSTILE, params={"lr": 0.02, "opt": HOSTILE}) as run:
    run.log(val_loss=2.0)"""


def names(page):
    return page.locator(".nbt-rows tbody tr[data-run] th").all_inner_texts()


def wait_for_rows(page, n):
    page.wait_for_function(
        "n => document.querySelectorAll('.nbt-rows tbody tr[data-run]').length === n",
        arg=n,
        timeout=15_000,
    )


def place(page, nth, share):
    """Where on the page a share of an axis' height is; 0 is its top."""
    box = (
        page.locator(".js-plotly-plot .axis-brush .background").nth(nth).bounding_box()
    )
    return box["x"] + box["width"] / 2, box["y"] + share * box["height"]


def brush(page, nth, begin, end):
    page.mouse.move(*place(page, nth, begin))
    page.mouse.down()
    page.mouse.move(*place(page, nth, end), steps=8)
    page.mouse.up()


def test_a_brush_with_the_mouse_leaves_its_runs_in_the_table(lab):
    page = lab.page
    notebook = lab.open(
        ["%load_ext nbtrack", RUNS, "p = %compare --sort val_loss\np",
         "f = nbtrack.brush(p)\nf", "print(p.line, sorted(p.df['name']))"]
    )  # fmt: skip
    for n in range(4):
        notebook.run(n)
    wait_for_rows(page, 13)
    page.locator(".js-plotly-plot .axis-brush").first.wait_for(timeout=30_000)
    page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    line = page.locator(".nbt-line code").inner_text()

    brush(page, 0, 0.42, -0.1)  # learning rates from 0.03
    wait_for_rows(page, 6)
    assert {name.split("-")[1][:4] for name in names(page)} == {"0.3", "0.1", "0.03"}
    notebook.screenshot("brush-light")
    lab.theme("Dark")
    notebook.screenshot("brush-dark")
    lab.theme("Light")
    brush(page, 1, 0.4, 0.6)  # and adam
    wait_for_rows(page, 3)
    assert "['adam-0.03', 'adam-0.1', 'adam-0.3']" in notebook.run(4)

    page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    for nth, share in ((0, 0.2), (1, 0.5)):
        page.mouse.click(*place(page, nth, share))  # on a brush takes it away
    wait_for_rows(page, 13)
    assert page.locator(".nbt-line code").inner_text() == line
    assert page.evaluate("() => window.hurt") is None
    assert lab.problems == []
