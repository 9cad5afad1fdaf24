"""A report in a browser without a network: what is seen, asked for and run."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RUNS = """import os
os.environ["NBTRACK_OFF"] = "all"
import nbtrack
IMAGE = "<img src=x onerror='window.hurt=1'>"
SCRIPT = "<script>window.hurt=2</script>"
for nth, name in enumerate([IMAGE, SCRIPT, "third"]):
    tags = [SCRIPT, IMAGE] if nth else [SCRIPT]
    params = {"lr": nth, SCRIPT: IMAGE}
    with nbtrack.start(name, params=params, tags=tags, group=IMAGE) as run:
        run.note(SCRIPT + IMAGE)
        for step in range(20):
            run.log({"val_loss": (nth + 1) / (step + 1), SCRIPT: step})"""
MADE = '%report --title "<script>window.hurt=3</script>" --cols val_loss tags lr'


def test_a_report_needs_no_network_and_runs_no_text(lab, chromium):
    notebook = lab.open(["%load_ext nbtrack", RUNS, MADE])
    for n in range(3):
        notebook.run(n)
    assert "report.html: 3 runs" in notebook.text(2)
    path = notebook.path.with_name("report.html")

    context = chromium.new_context(viewport={"width": 1100, "height": 1400})
    context.set_offline(True)
    page, asked, problems = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(path.as_uri(), wait_until="networkidle")
    assert asked == [path.as_uri()]
    assert problems == []
    assert page.evaluate("() => window.hurt") is None
    assert page.locator("script, img, iframe, object, embed").count() == 0
    assert page.locator("h1").inner_text() == "<script>window.hurt=3</script>"
    body = page.locator("body").inner_text()
    for said in ("<img src=x onerror=", "<script>window.hurt=2</script>", "third"):
        assert said in body
    charts = page.locator("figure svg:not(svg svg)")
    assert charts.count() >= 2
    for chart in charts.all():
        assert chart.bounding_box()["height"] > 100
        assert chart.locator("path, polyline").first.bounding_box()["width"] > 10
    lab.page.screenshot(path=notebook.screenshot("report-link"))
    shots = notebook.screenshot("report-light")
    page.screenshot(path=shots, full_page=True)
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=shots.with_name("report-dark.png"), full_page=True)
    context.close()
