"""From a point on a curve to the loaded checkpoint, in a real JupyterLab; pictures."""

from __future__ import annotations

import time

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TRAIN = """%%track base
import time, nbtrack
run = nbtrack.current()
for epoch in range(60):
    run.log(val_loss=2 / (epoch + 1), val_acc=1 - 1 / (epoch + 2))
    if epoch % 8 == 4:
        run.checkpoint({"epoch": epoch}, name="mlp")
    time.sleep(0.25)
"""
PIPELINE = """import os
os.environ["NBTRACK_OFF"] = "all"
import pathlib, nbtrack, numpy as np
rng = np.random.default_rng(0)
pathlib.Path("raw.csv").write_text("a,b\\n1,2\\n")
with nbtrack.start("prepare", experiment="mnist") as run:
    run.log_artifact("raw.csv", "digits", type="dataset", aliases="raw",
                     description="600 images <b>of digits</b>")
with nbtrack.start("base", experiment="mnist") as run:
    run.use_artifact("digits")
    for epoch in range(14):
        run.log(val_acc=0.5 + epoch / 40)
        run.checkpoint({"w": rng.normal(size=(20, 20)), "epoch": epoch}, name="cnn")
for size in (32, 64, 128):
    with nbtrack.start(f"finetune-{size}", experiment="finetune") as run:
        run.use_artifact("cnn:best"); run.use_artifact("digits")
        run.log(val_acc=0.9 + size / 2000)
        run.log_artifact({"w": size}, f"mlp-{size}", type="model")
with nbtrack.start("evaluate", experiment="evaluate") as run:
    run.use_artifact("mlp-64"); run.use_artifact("mlp-128")
"""
HEAR_COPIES = """() => {
  navigator.clipboard.writeText = async text => { window.copied = text; };
}"""


def test_a_click_on_a_curve_gives_the_line_that_loads_the_checkpoint(lab):
    notebook = lab.open(["%load_ext nbtrack", TRAIN, ""])
    page = lab.page
    notebook.run(0)
    notebook.start(1)
    page.locator(".nbt-panel .nbt-plot canvas").first.wait_for(timeout=20_000)
    page.get_by_text("◆ a saved checkpoint").wait_for(timeout=20_000)
    time.sleep(4)
    page.evaluate(HEAR_COPIES)

    plot = page.locator(".nbt-plot .u-over").first
    box = plot.bounding_box()
    plot.click(position={"x": box["width"] * 0.7, "y": box["height"] * 0.7})
    card = page.locator(".nbt-pick")
    card.wait_for(timeout=5_000)
    page.locator(".nbt-panel").scroll_into_view_if_needed()
    notebook.screenshot("checkpoint-pick-light")
    card.locator(".nbt-copy").click()
    line = page.evaluate("() => window.copied")
    text = card.inner_text()

    assert notebook.is_busy(1)
    assert line.startswith('nbtrack.load_checkpoint("')
    assert "val_acc" in text
    assert "mlp:v" in text
    step = int(line.partition("step=")[2].partition(",")[0])
    notebook.wait_done(1)
    notebook.set_source(2, line[:-1] + ", trust=True)")
    assert notebook.run(2) == f"{{'epoch': {step}}}"
    notebook.output(1).locator("summary", has_text="checkpoints").click()
    notebook.screenshot("checkpoint-static-light", n=1)
    assert lab.problems == []


def test_the_first_points_have_no_checkpoint_and_say_so(lab):
    notebook = lab.open(["%load_ext nbtrack", TRAIN])
    page = lab.page
    notebook.run(0)
    notebook.start(1)
    page.get_by_text("◆ a saved checkpoint").wait_for(timeout=20_000)

    page.locator(".nbt-plot .u-over").first.click(position={"x": 3, "y": 20})
    card = page.locator(".nbt-pick")
    card.get_by_text("no checkpoint was saved up to here").wait_for(timeout=5_000)
    assert card.locator("code").is_hidden()
    card.locator(".nbt-close").click()
    assert card.is_hidden()


def test_artifacts_and_lineage_are_shown_in_light_and_dark(lab):
    cells = ["%load_ext nbtrack", PIPELINE, "%artifacts", "%artifacts show cnn:best",
             "%lineage cnn:best", "%lineage --all --walk"]  # fmt: skip
    notebook = lab.open([*cells, "%lineage --all"])
    for n in range(len(cells) + 1):
        notebook.run(n)
    for n, name in ((2, "artifacts"), (3, "artifact-page"), (4, "lineage"),
                    (5, "lineage-walk"), (6, "lineage-all")):  # fmt: skip
        notebook.cell(n).scroll_into_view_if_needed()
        notebook.screenshot(f"{name}-light", n=n)
    lab.theme("Dark")
    for n, name in ((2, "artifacts"), (4, "lineage")):
        notebook.cell(n).scroll_into_view_if_needed()
        notebook.screenshot(f"{name}-dark", n=n)
    lab.theme("Light")

    assert notebook.output(2).locator("tbody tr").count() == 18
    area = notebook.output(4).locator("details").first.locator("area")
    titles = area.evaluate_all("all => all.map(one => one.title)")
    assert any("finetune-64\nrun: " in title for title in titles)
    folded = notebook.output(4).locator("details").nth(1)
    assert folded.locator("img").is_hidden()
    folded.locator("summary").click()
    assert folded.locator("img").is_visible()
    assert lab.problems == []
