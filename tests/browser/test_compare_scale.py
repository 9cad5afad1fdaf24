"""How long the panel takes for 5,000 runs and for 50 curves of 100,000 points."""

from __future__ import annotations

import ast
from statistics import median

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.benchmark, pytest.mark.timeout(500)]

N_RUNS, N_PARAMS, N_METRICS = 5000, 20, 5
TABLE_MAX_S, ROWS_MAX_MS, CURVES_MAX_MS, FRAME_MAX_MS = 1.0, 100, 300, 100
STORE = f"""import os
os.environ["NBTRACK_OFF"] = "all"
import random, nbtrack
store = nbtrack.open()
rng = random.Random(0)
for n in range({N_RUNS}):
    run = f"r{{n:05}}"
    store.journal.emit({{"kind": "run_started", "run": run, "name": f"run-{{n}}"}})
    params = [[f"p{{k}}", rng.random(), "literal", None] for k in range({N_PARAMS})]
    store.journal.emit({{"kind": "params", "run": run, "params": params}})
    for k in range({N_METRICS}):
        series = store.journal.series(run, f"val_loss{{k}}")
        for step in range(5):
            store.journal.point(series, step, rng.random(), 1e9 + step)
    store.journal.emit({{"kind": "run_finished", "run": run, "status": "finished"}})
    if n % 200 == 0:
        store.journal.flush(60)
store.journal.flush(120)"""
CURVES = """import os
os.environ["NBTRACK_OFF"] = "all"
import math, nbtrack
store = nbtrack.open()
for n in range(50):
    run = f"r{n:02}"
    store.journal.emit({"kind": "run_started", "run": run, "name": f"long-{n}"})
    params = [["n", n, "literal", None]]
    store.journal.emit({"kind": "params", "run": run, "params": params})
    series = store.journal.series(run, "deep")
    for step in range(100_000):
        value = math.sin(step / 9000 + n) + (step == 31_234) * 40
        store.journal.point(series, step, value, 1e9 + step)
    store.journal.emit({"kind": "run_finished", "run": run, "status": "finished"})
    store.journal.flush(60)
with nbtrack.start("million") as run:
    for step in range(1_000_000):
        run.log(wide=step % 997 + (step == 612_345) * 5000)
len(nbtrack.runs())"""
SHOWN = "p = nbtrack.compare(query='deep < 99', selected=['long-0']); p"
SEVEN = "p.set(selected=tuple(f'long-{n}' for n in range(7)), metric='deep')"
FIFTY = "p.set(group='n', bands=True)"
WIDE = """q = nbtrack.compare('million', metric='wide'); q"""
# When a thing was on the page, after the frame that drew it.
WATCH = """what => {
  window.nbtSeen = 0;
  const look = () => {
    if (new Function(`return ${what}`)()) window.nbtSeen = Date.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
# How long each frame took, from now on.
FRAMES = """() => {
  window.nbtFrames = [];
  let before = performance.now();
  const tick = now => {
    window.nbtFrames.push(Math.round(now - before));
    before = now;
    if (window.nbtFrames.length < 120) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""
IS_WHOLE = (
    "![...document.querySelectorAll('.nbt-plot-tall')].at(-1)"
    ".getAttribute('aria-label').includes('Zoom in')"
)
ROWS = "document.querySelectorAll('.nbt-rows tbody tr[data-run]').length > 10"


def seen(page):
    page.wait_for_function("() => window.nbtSeen > 0", timeout=60_000)
    return page.evaluate("() => window.nbtSeen")


def said(capsys, text):
    with capsys.disabled():
        print(f"\n{text}")


def began(notebook, n, code):
    """Run code; when it began, by the clock that the page has too."""
    notebook.set_source(n, f"import time; print(time.time() * 1e3); {code}")
    return ast.literal_eval(notebook.run(n).split()[0])


def test_a_table_of_five_thousand_runs_is_quick(lab, capsys):
    first = "import time; print(time.time() * 1e3)\np = nbtrack.compare(); p"
    notebook = lab.open(["%load_ext nbtrack", STORE, first, ""])
    page = lab.page
    notebook.run(0)
    notebook.run(1, timeout_s=300)
    page.evaluate(WATCH, ROWS)
    told = notebook.run(2)
    cold_s = (seen(page) - ast.literal_eval(told.split()[0])) / 1000
    said(capsys, f"{N_RUNS} runs on the page: {cold_s:.2f} s (target {TABLE_MAX_S})")
    notebook.screenshot("compare-5000")
    page.wait_for_timeout(1500)  # small curves come meanwhile

    sorts = [sort_ms(page, name) for name in ("p3", "p3", "val_loss1", "p1", "p2")]
    said(capsys, f"sort: {median(sorts):.0f} ms of {[round(ms) for ms in sorts]}")
    assert page.locator(".nbt-compare thead th[aria-sort]").count() == 1

    filters = []
    for most in (0.5, 0.4, 0.3, 0.2, 0.1):
        # Every count is a smaller one: another text is there when the rows are.
        page.evaluate(
            """() => window.nbtBefore =
              document.querySelector('.nbt-bar .nbt-muted').textContent""",
        )
        page.evaluate(
            WATCH,
            "document.querySelector('.nbt-bar .nbt-muted').textContent !== nbtBefore",
        )
        filters.append(filter_ms(page, f"p1 < {most}"))
        page.wait_for_timeout(1000)
    said(capsys, f"filter: {median(filters):.0f} ms of {[round(ms) for ms in filters]}")
    assert median(sorts) <= ROWS_MAX_MS
    assert median(filters) <= ROWS_MAX_MS
    assert cold_s <= TABLE_MAX_S


def sort_ms(page, name):
    """From the click on a head until the page has drawn the other order."""
    button = page.locator(".nbt-compare thead button.nbt-sort", has_text=name).first
    page.wait_for_timeout(1000)  # the click before this one has been answered
    button.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    return button.evaluate(
        """button => {
          const began = performance.now();
          button.click();
          return new Promise(done => requestAnimationFrame(() =>
            requestAnimationFrame(() => done(performance.now() - began))));
        }"""
    )


def filter_ms(page, query):
    """From the query until the rows that the kernel found are drawn."""
    box = page.locator(".nbt-compare .nbt-query").first
    began = box.evaluate(
        """(box, query) => {
          box.value = query;
          const began = Date.now();
          box.dispatchEvent(new Event('change'));
          return began;
        }""",
        query,
    )
    return seen(page) - began


def test_fifty_long_curves_and_a_million_points_are_quick(lab, capsys):
    notebook = lab.open(["%load_ext nbtrack", CURVES, SHOWN, "", "", "", ""])
    page = lab.page
    notebook.run(0)
    notebook.run(1, timeout_s=400)
    assert "Error" not in notebook.run(2)
    page.locator(".nbt-overlay canvas").wait_for()
    times = {}
    for at, (code, n) in enumerate(((SEVEN, 7), (FIFTY, 50))):
        page.wait_for_timeout(1000)
        page.evaluate(WATCH, f"document.querySelectorAll('.nbt-legend').length === {n}")
        start = began(notebook, 3 + at, code)
        times[n] = seen(page) - start
        said(capsys, f"{n} curves of 100,000 points: {times[n]:.0f} ms")
        page.locator(".nbt-overlay").scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        notebook.screenshot(f"compare-{n}-curves")
    wide = zoom_ms(notebook)
    said(capsys, f"1,000,000 points: a part in full after {wide['fetch']:.0f} ms"
         f" (the first 120 are a wait), frames {wide['frames']}")  # fmt: skip
    assert max(wide["frames"]) <= FRAME_MAX_MS
    assert wide["fetch"] <= CURVES_MAX_MS
    assert max(times.values()) <= CURVES_MAX_MS


def zoom_ms(notebook):
    """Drag over some of a million points: how long frames and the rest take."""
    page = notebook.page
    notebook.set_source(5, WIDE)
    assert "Error" not in notebook.run(5)
    chart = page.locator(".nbt-compare").last.locator(".u-over")
    chart.wait_for()
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    notebook.screenshot("compare-million")
    drag(page, chart)
    page.wait_for_timeout(1000)
    page.evaluate(FRAMES)
    page.evaluate(WATCH, IS_WHOLE)
    let_go = drag(page, chart)
    fetch = seen(page) - let_go
    page.wait_for_timeout(500)
    notebook.screenshot("compare-million-zoomed")
    return {"fetch": fetch, "frames": page.evaluate("() => window.nbtFrames")}


def drag(page, chart):
    """Zoom into the part around the spike, a thirtieth; when it was let go."""
    box = chart.bounding_box()
    x, y = box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 30, y, steps=10)
    let_go = page.evaluate("() => Date.now()")
    page.mouse.up()
    return let_go
