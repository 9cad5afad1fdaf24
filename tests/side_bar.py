"""The side bar in the page of a browser test, and runs for it to list."""

from __future__ import annotations

RUNS = """\
import nbtrack, math
for n, lr in enumerate((0.3, 0.1, 0.03)):
    with nbtrack.start(f"base-{n}", params={"lr": lr, "bs": 32}, tags=["paper"]) as run:
        for step in range(40):
            left = math.exp(-lr * step)
            nbtrack.log(loss=left + n / 50, val_acc=1 - left)
"""
TRACKED = """\
%%track mlp --no-live
lr = 0.05
for epoch in range(12):
    val_acc = 1 - 0.9 / (epoch + 1)
    loss = 2 / (epoch + 1)
"""
LIVE = """\
import nbtrack, time
with nbtrack.start("live") as run:
    for step in range(600):
        now = time.time()
        nbtrack.log(val_acc=now)
        time.sleep(0.25)
"""
# How late the newest value in the list is, each time that it changes.
LATENESS = """() => new Promise(done => {
  const late = [];
  const look = () => {
    const line = [...document.querySelectorAll('.nbt-run')]
      .find(one => one.textContent.includes('live'));
    const title = line?.querySelector('.nbt-item-best')?.dataset.value;
    if (title && title !== look.before) {
      late.push(Date.now() / 1000 - Number(title));
      look.before = title;
    }
    if (late.length > 6) done(late.slice(1));
    else requestAnimationFrame(look);
  };
  look();
})"""
# Before that, what the page restores may take its place.
SHOW = """() => window.jupyterapp.restored.then(() =>
  window.jupyterapp.shell.activateById('nbtrack-runs'))"""


def side(page):
    """The side bar, open."""
    page.evaluate(SHOW)
    bar = page.locator("#nbtrack-runs")
    bar.wait_for()
    return bar


def line(bar, name):
    return bar.locator(".nbt-run", has_text=name)


def names(bar):
    return bar.locator(".nbt-run .nbt-item-name").all_inner_texts()
