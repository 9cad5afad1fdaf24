"""The pictures of README and docs: a digits classifier that is really trained.

They land in `screenshots/`, or in the folder of `NBTRACK_PICTURES`: `make pictures`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pictures import N_FRAMES_MIN, folder, ink, opened, save_animation, save_still
from side_bar import line, side

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PICTURES = folder(Path(__file__).parent / "screenshots")
THEMES = ("Light", "Dark")
SETUP = """\
%load_ext nbtrack
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

images, labels = load_digits(return_X_y=True)
x_train, x_val, y_train, y_val = train_test_split(
    images / 16, labels, random_state=0)"""
LOOP = """\
width, lr, n_epochs = {width}, {lr}, {n_epochs}
model = MLPClassifier(width, learning_rate_init=lr, batch_size=16,
                      random_state=0)
for epoch in range(n_epochs):
    model.partial_fit(x_train, y_train, classes=range(10))
    train_loss = model.loss_
    val_loss = log_loss(y_val, model.predict_proba(x_val))
    val_acc = model.score(x_val, y_val)"""
RUNS = {  # width and learning rate, from the worst to the best
    "wide-slow": (64, 0.0002),
    "small": (16, 0.001),
    "small-fast": (16, 0.01),
    "wide": (64, 0.001),
}
COMPARE = """\
%compare --sort val_loss --cols params.width params.lr \\
    best.val_loss best.val_acc"""
IN_VIEW = """part => {
  part.scrollIntoView({block: 'start'});
  part.closest('.jp-WindowedPanel-outer')?.scrollBy(0, -8);
}"""
PROMPT_PX = 40  # of the left margin of a cell nothing stands in
INK_MIN = 0.02  # of all pixels; a page that shows nothing has one colour
LIVE_EPOCHS = 100
LIVE_PART = 0.9  # of the epochs are in the animation: at its end the run still runs


@pytest.fixture
def page_shape():
    """Finer than a page is shown, and without what moves by itself."""
    return {
        "viewport": {"width": 1010, "height": 800},
        "device_scale_factor": 1.5,
        "reduced_motion": "reduce",
    }


@pytest.fixture
def notebook(lab):
    """The classifier's notebook; its second cell trains."""
    notebook = lab.open([SETUP, LOOP, ""], name="digits.ipynb")
    execute(lab.page, "application:toggle-left-area")
    notebook.run(0)
    return notebook


def execute(page, command):
    page.evaluate("command => jupyterapp.commands.execute(command)", command)


def prepare(notebook, magic, *, width, lr, n_epochs=20):
    """Have the cell that trains under this magic, and the notebook saved."""
    loop = LOOP.format(width=width, lr=lr, n_epochs=n_epochs)
    notebook.set_source(1, f"{magic}\n{loop}")
    notebook.save()


def train_all(notebook):
    for name, (width, lr) in RUNS.items():
        prepare(notebook, f"%%track {name}", width=width, lr=lr)
        notebook.run(1, timeout_s=120)


def take(lab, name, part):
    """A picture of a part of the page in both themes; each must show something."""
    for theme in THEMES:
        lab.theme(theme)
        clip = place(part)
        keep(lab.page.screenshot(clip=clip), name, theme)
    lab.theme("Light")


def keep(png, name, theme):
    assert ink(opened(png)) > INK_MIN
    save_still(png, PICTURES / f"{name}_{theme.lower()}.png")


def place(part, *, left=0):
    """Where a part of the page stands, once in view and without the mouse on it."""
    part.page.mouse.move(4, 4)
    part.evaluate(IN_VIEW)
    part.page.wait_for_timeout(300)
    x, y, width, height = part.bounding_box().values()
    bottom = part.page.viewport_size["height"]
    room = min(height, bottom - y)
    return {"x": x + left, "y": y, "width": width - left, "height": room}


def epochs_done(panel):
    found = re.search(r"epoch (\d+)/", panel.locator(".nbt-time").inner_text())
    return int(found[1]) if found else 0


def watched(notebook, panel, clip):
    """Pictures of a run under way, taken as fast as they come."""
    frames = []
    while epochs_done(panel) < LIVE_PART * LIVE_EPOCHS:
        frames.append(notebook.page.screenshot(clip=clip))
    return frames


@pytest.mark.parametrize("theme", THEMES)
def test_the_curves_of_a_running_cell(lab, notebook, theme):
    lab.theme(theme)
    prepare(notebook, "%%track small", width=16, lr=0.001, n_epochs=60)
    notebook.run(1, timeout_s=120)
    prepare(notebook, "%%track wide", width=64, lr=0.0004, n_epochs=LIVE_EPOCHS)
    notebook.start(1)
    panel = notebook.cell(1).locator(".nbt-panel")
    panel.locator("tr", has_text="val_acc").wait_for()
    notebook.cell(1).locator(".nbt-badge", has_text="wide · running").wait_for()
    notebook.cell(2).locator(".cm-content").click()
    frames = watched(notebook, panel, place(notebook.cell(1), left=PROMPT_PX))
    assert panel.get_by_role("button", name="Stop").is_visible()
    assert panel.locator("canvas").count() == 2
    assert notebook.is_busy(1)
    assert len(set(frames)) >= N_FRAMES_MIN
    keep(frames[-1], "live", theme)
    save_animation(frames, PICTURES / f"live_{theme.lower()}.webp")
    notebook.wait_done(1)
    assert lab.problems == []


def test_runs_side_by_side(lab, notebook):
    train_all(notebook)
    notebook.set_source(2, COMPARE)
    notebook.run(2)
    panel = lab.page.locator(".nbt-compare")
    panel.locator(".nbt-overlay canvas").wait_for()
    rows = panel.locator("tbody tr[data-run]")
    assert rows.locator("th").all_inner_texts() == list(RUNS)[::-1]
    assert panel.locator("td.nbt-is-best").first.is_visible()
    lab.page.wait_for_timeout(1000)
    take(lab, "compare", panel)
    assert lab.problems == []


def test_a_sweep_from_its_form_to_its_first_trials(lab, notebook):
    prepare(notebook, "%%track small", width=16, lr=0.001)
    notebook.run(1, timeout_s=120)
    prepare(notebook, "%%sweep", width=16, lr=0.001)
    notebook.run(1)
    panel = lab.page.locator(".nbt-sweep")
    panel.get_by_label("Sweep lr").wait_for()
    panel.get_by_label("Sweep lr").check()
    panel.get_by_label("Values of lr").fill("log(1e-4, 1e-2)")
    panel.get_by_label("Sweep width").check()
    panel.get_by_label("Values of width").fill("[16, 32, 64]")
    panel.get_by_label("How many trials").fill("24")
    notebook.cell(2).locator(".cm-content").click()
    lab.page.wait_for_timeout(1000)
    assert panel.get_by_role("button", name="Start").is_enabled()
    take(lab, "sweep_form", panel)
    panel.get_by_role("button", name="Start").click()
    panel.locator("tr[data-status=finished]").nth(6).wait_for(timeout=120_000)
    assert panel.locator(".nbt-best-line").is_visible()
    take(lab, "sweep", panel)
    panel.get_by_role("button", name="Stop").click()
    panel.get_by_text("· stopped").wait_for(timeout=30_000)
    assert lab.problems == []


def test_the_side_bar_and_the_page_of_a_run(lab, notebook):
    page = lab.page
    page.set_viewport_size({"width": 1010, "height": 720})
    train_all(notebook)
    notebook.save()
    execute(page, "application:toggle-left-area")
    bar = side(page)
    line(bar, "wide-slow").wait_for()
    bar.locator(".nbt-run path").nth(len(RUNS) - 1).wait_for()
    notebook.cell(1).locator(".nbt-badge", has_text="val_acc").wait_for()
    take(lab, "sidebar", page.locator("#jp-main-content-panel"))
    line(bar, "wide").first.click()
    pane = page.locator(".nbt-run-pane")
    pane.locator("canvas").first.wait_for()
    pane.locator("summary", has_text="Params").wait_for()
    page.wait_for_timeout(1000)
    take(lab, "run_page", page.locator("#jp-main-content-panel"))
    assert lab.problems == []
