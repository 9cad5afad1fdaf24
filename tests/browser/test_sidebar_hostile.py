"""S5: no text of a run becomes markup in the side bar, its pages and badges."""

from __future__ import annotations

import pytest
from side_bar import line, side

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PAYLOADS = [
    '<img src=x onerror="window.nbtHurt=1">',
    "<script>window.nbtHurt=2</script>",
    "</style><svg onload=window.nbtHurt=3>",
    "\"><iframe srcdoc='<script>parent.nbtHurt=4</script>'>",
    "<a href=javascript:window.nbtHurt=5>x</a>",
    "${window.nbtHurt=6}{{constructor.constructor('window.nbtHurt=7')()}}",
    "[x](javascript:window.nbtHurt=8) **b** $\\href{javascript:nbtHurt=9}{x}$",
    "\u202egnp.exe\u202c\u0000'; alert(1)//",
]
RUNS = f"""\
import nbtrack
PAYLOADS = {PAYLOADS!r}
for nth, text in enumerate(PAYLOADS):
    params = {{"lr": text, text[:60]: nth}}
    tags = {{f"t{{nth}}": text}}
    with nbtrack.start(f"{{text}}-{{nth}}", params=params, tags=tags, group=text,
                       notes=text) as run:
        nbtrack.log({{text[:60]: nth + 0.5, "val_loss": 1.0 / (nth + 1)}})
        nbtrack.log({{text[:60]: nth + 1.5, "val_loss": 0.5 / (nth + 1)}})
"""
RAISED = f"""\
%%track --no-live boom
val_loss = 1
raise ValueError({"".join(PAYLOADS)!r})
"""


def test_s05_no_text_of_a_run_becomes_markup_in_the_side_bar(lab):
    notebook = lab.open(["%load_ext nbtrack", RUNS, RAISED])
    page, asked = lab.page, []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: dialog.dismiss())
    notebook.run_all()
    bar = side(page)
    line(bar, "boom").wait_for()
    notebook.cell(1).locator(".nbt-badge").wait_for()
    runs = [one.get_attribute("data-run") for one in bar.locator(".nbt-run").all()]
    assert len(runs) == len(PAYLOADS) + 1
    for nth in (1, 3, 5):
        bar.locator(".nbt-run").nth(nth).hover()
        page.locator(".nbt-card").wait_for()
    for run in runs[:4]:
        open_page(page, run)
    page.evaluate(
        "runs => jupyterapp.commands.execute('nbtrack:compare', {state: {runs, "
        "selected: runs.slice(0, 7)}, diff: true})",
        runs,
    )
    page.locator(".nbt-diff").wait_for()
    page.get_by_role("tab", name="Table and curves").click()
    page.locator(".nbt-compare-pane .nbt-rows tr[data-run]").first.wait_for()
    page.evaluate(
        "run => void jupyterapp.commands.execute('nbtrack:rename', {run})", runs[1]
    )
    page.locator(".jp-Dialog input").press("Escape")
    bar.locator(".nbt-search").fill(PAYLOADS[0])
    page.locator("#nbt-search-error:not(:empty)").wait_for()
    page.wait_for_timeout(500)
    notebook.screenshot("sidebar-hostile")
    ours = ".nbt-sidebar, .nbt-run-pane, .nbt-compare-pane, .nbt-badge, .nbt-card"
    for tag in ("script", "img", "iframe", "a[href^=javascript]"):
        assert page.locator(f":is({ours}) {tag}").count() == 0
    assert page.evaluate("() => window.nbtHurt") is None
    assert all(url.startswith((lab.server.url, "data:", "blob:")) for url in asked)


def open_page(page, run):
    page.evaluate("run => jupyterapp.commands.execute('nbtrack:open-run', {run})", run)
    pane = page.locator(".nbt-run-pane:visible")
    pane.locator(".nbt-part summary").first.wait_for()
    pane.evaluate("pane => pane.querySelectorAll('details').forEach(d => d.open = 1)")
